import { decodeEventLog, keccak256, stringToBytes, toEventSelector, type AbiEvent } from 'viem';
import { EVENT_ABI, rawLog, type EventName } from '../testing/event-abi';
import { randomValues, seededRandom } from '../testing/random-event';
import { textOfBytes32 } from './abi-reader';
import { createDecoder } from './decode';
import { tagOfHash } from './known-tags';
import type { RawLog } from './raw-log';
import { TOPICS } from './topics';

const IDENTITY = `0x${'1'.repeat(40)}`;
const REPUTATION = `0x${'2'.repeat(40)}`;
const VALIDATION = `0x${'3'.repeat(40)}`;
const EAS = `0x${'4'.repeat(40)}`;

const decode = createDecoder({
  identityRegistry: IDENTITY,
  reputationRegistry: REPUTATION,
  validationRegistry: VALIDATION,
  eas: EAS,
});

const CONTRACTS: Record<EventName, string> = {
  registered: IDENTITY,
  metadataSet: IDENTITY,
  uriUpdated: IDENTITY,
  uriUpdated100: IDENTITY,
  transfer: IDENTITY,
  feedback100: REPUTATION,
  feedback110: REPUTATION,
  feedback110Tag: REPUTATION,
  feedbackUint256: REPUTATION,
  feedbackInt256: REPUTATION,
  feedback200: REPUTATION,
  feedbackRevoked: REPUTATION,
  responseAppended: REPUTATION,
  validationRequest: VALIDATION,
  validationResponse: VALIDATION,
  validationResponse100: VALIDATION,
  attested: EAS,
  attestationRevoked: EAS,
};

const NAMES = Object.keys(EVENT_ABI) as EventName[];

/** What viem reads out of a log, in the words of a fact; undefined where it refuses. */
function factByViem(name: EventName, log: RawLog): Record<string, unknown> | undefined {
  let args: Record<string, unknown>;
  try {
    const event: AbiEvent = EVENT_ABI[name];
    const decoded = decodeEventLog({
      abi: [event],
      data: log.data as `0x${string}`,
      topics: log.topics as [`0x${string}`, ...`0x${string}`[]],
      strict: true,
    });
    args = decoded.args;
  } catch {
    return undefined;
  }
  const text = (value: unknown): string => String(value);
  const address = (value: unknown): string => text(value).toLowerCase();
  const at = { transactionHash: log.transactionHash, logIndex: log.logIndex };
  const agent = { ...at, tokenId: text(args.agentId ?? args.tokenId) };
  const feedback = {
    kind: 'feedback_given',
    ...agent,
    client: address(args.clientAddress),
    value: text(args.value ?? args.score),
    valueDecimals: args.valueDecimals ?? 0,
    feedbackUri: args.feedbackURI ?? args.feedbackUri,
    feedbackHash: args.feedbackHash,
  };
  const indexed = { ...feedback, feedbackIndex: text(args.feedbackIndex), tag2: args.tag2, endpoint: args.endpoint };
  switch (name) {
    case 'registered':
      return { kind: 'registered', ...agent, owner: address(args.owner), uri: args.agentURI };
    case 'metadataSet':
      return { kind: 'metadata_set', ...agent, metadataKey: args.metadataKey, value: args.metadataValue };
    case 'uriUpdated':
    case 'uriUpdated100':
      return { kind: 'uri_updated', ...agent, uri: args.newURI ?? args.newUri, updatedBy: address(args.updatedBy) };
    case 'transfer':
      return { kind: 'transfer', ...agent, from: address(args.from), to: address(args.to) };
    case 'feedback100':
      return {
        ...feedback,
        tag1: textOfBytes32(text(args.tag1).slice(2)),
        tag2: textOfBytes32(text(args.tag2).slice(2)),
        endpoint: '',
      };
    case 'feedback110':
      return { ...indexed, tag1: tagOfHash(text(args.tag1)) };
    case 'feedback110Tag':
    case 'feedbackUint256':
    case 'feedbackInt256':
    case 'feedback200':
      return { ...indexed, tag1: args.tag1 };
    case 'feedbackRevoked':
      return {
        kind: 'feedback_revoked',
        ...agent,
        client: address(args.clientAddress),
        feedbackIndex: text(args.feedbackIndex),
      };
    case 'responseAppended':
      return {
        kind: 'response_appended',
        ...agent,
        client: address(args.clientAddress),
        feedbackIndex: text(args.feedbackIndex),
        responder: address(args.responder),
        responseUri: args.responseURI,
        responseHash: args.responseHash,
      };
    case 'validationRequest':
      return {
        kind: 'validation_requested',
        ...agent,
        validator: address(args.validatorAddress),
        requestUri: args.requestURI,
        requestHash: args.requestHash,
      };
    case 'validationResponse':
    case 'validationResponse100':
      return {
        kind: 'validation_responded',
        ...agent,
        validator: address(args.validatorAddress),
        requestHash: args.requestHash,
        response: args.response,
        responseUri: args.responseURI,
        responseHash: args.responseHash,
        tag: name === 'validationResponse' ? args.tag : textOfBytes32(text(args.tag).slice(2)),
      };
    case 'attested':
    case 'attestationRevoked':
      return {
        kind: name === 'attested' ? 'attested' : 'attestation_revoked',
        ...at,
        uid: args.uid,
        attester: address(args.attester),
      };
  }
}

/** A log with something wrong: cut short, one digit or one word changed, or a topic lost. */
function damaged(log: RawLog, random: () => number): RawLog {
  const digits = log.data.slice(2);
  const at = Math.floor(random() * digits.length);
  const word = at - (at % 64);
  const words = [
    'f'.repeat(64),
    '0'.repeat(64),
    '7fffffff'.padStart(64, '0'),
    '20'.padStart(64, '0'),
    '80'.padStart(64, '0'),
  ];
  switch (Math.floor(random() * 4)) {
    case 0:
      return { ...log, data: `0x${digits.slice(0, at - (at % 2))}` };
    case 1:
      return {
        ...log,
        data: `0x${digits.slice(0, at)}${Math.floor(random() * 16).toString(16)}${digits.slice(at + 1)}`,
      };
    case 2:
      return {
        ...log,
        data: `0x${digits.slice(0, word)}${words[Math.floor(random() * words.length)]}${digits.slice(word + 64)}`,
      };
    default:
      return { ...log, topics: log.topics.slice(0, Math.floor(random() * (log.topics.length + 1))) };
  }
}

/** Without what viem strips off the front of texts: zero bytes and a byte order mark. */
function comparable(fact: object | undefined): unknown {
  if (fact === undefined) return undefined;
  const strip = (value: unknown): unknown =>
    typeof value === 'string' ? value.replace(/^[\u0000\ufeff]+/, '') : value;
  return Object.fromEntries(Object.entries(fact).map(([name, value]: [string, unknown]) => [name, strip(value)]));
}

describe('decoding logs', () => {
  it('knows each event by the hash of its signature', () => {
    for (const name of NAMES) expect(TOPICS[name]).toBe(toEventSelector(EVENT_ABI[name]));
    expect(Object.keys(TOPICS).sort()).toEqual([...NAMES].sort());
  });

  it.each(NAMES)('reads %s as viem does, whatever its values are', (name) => {
    const random = seededRandom(NAMES.indexOf(name) + 1);
    for (let round = 0; round < 60; round += 1) {
      const log = rawLog(CONTRACTS[name], name, randomValues(name, random), { logIndex: round });
      const expected = factByViem(name, log);
      expect(expected).toBeDefined();
      expect(decode(log)).toEqual(expected);
    }
  });

  it('gives nothing or what viem gives for damaged logs, and never throws', () => {
    const random = seededRandom(99);
    let refused = 0;
    for (let round = 0; round < 3_000; round += 1) {
      const name = NAMES[round % NAMES.length] as EventName;
      const log = damaged(rawLog(CONTRACTS[name], name, randomValues(name, random)), random);
      const fact = decode(log);
      if (fact === undefined) refused += 1;
      else expect(comparable(fact)).toEqual(comparable(factByViem(name, log)));
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(2_500);
  });

  it('reads agent id 0 and the largest id', () => {
    for (const agentId of [0n, 2n ** 256n - 1n]) {
      const log = rawLog(IDENTITY, 'registered', { agentId, agentURI: '', owner: `0x${'a'.repeat(40)}` });
      expect(decode(log)).toMatchObject({ kind: 'registered', tokenId: agentId.toString(), uri: '' });
    }
  });

  it('counts an event only where its own contract logged it', () => {
    const values = randomValues('feedback200', seededRandom(5));
    expect(decode(rawLog(REPUTATION, 'feedback200', values))).toBeDefined();
    expect(decode(rawLog(IDENTITY, 'feedback200', values))).toBeUndefined();
    expect(decode(rawLog(`0x${'9'.repeat(40)}`, 'feedback200', values))).toBeUndefined();
  });

  it('gives the tag that only its hash was logged of, and else the hash', () => {
    const values = { ...randomValues('feedback110', seededRandom(6)), tag1: 'uptime' };
    expect(decode(rawLog(REPUTATION, 'feedback110', values))).toMatchObject({ tag1: 'uptime' });
    const unknown = { ...values, tag1: 'my own tag' };
    const hash = keccak256(stringToBytes('my own tag'));
    expect(decode(rawLog(REPUTATION, 'feedback110', unknown))).toMatchObject({ tag1: hash });
  });

  it('does not unpack one long text many times over', () => {
    const length = 100_000;
    const word = (value: number): string => value.toString(16).padStart(64, '0');
    const head = [word(1), word(1), word(0), word(256), word(256), word(256), word(256), word(0)].join('');
    const log = rawLog(REPUTATION, 'feedback200', randomValues('feedback200', seededRandom(7)));
    const data = `0x${head}${word(length)}${'41'.repeat(length)}`;
    expect(decode({ ...log, data })).toBeUndefined();
  });
});
