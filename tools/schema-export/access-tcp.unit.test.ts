import { connect } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { makeCallers, type BadCaller, type Callers } from './access-callers';
import type { Caller } from './access-rules.cjs';
import { SANDBOX_ID } from './access-world';
import { startDescribedProcess, type DescribedProcess } from './described-process';

/** Sends lines one after another, each when the one before was answered; gives the first line of each answer. */
async function converse(port: number, lines: readonly string[]): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  const answers: string[] = [];
  for (const line of lines) {
    received = '';
    socket.write(line);
    await until(() => received.includes('\r\n') || socket.destroyed, `an answer to ${line}`);
    answers.push(received.split('\r\n', 1)[0] ?? '');
  }
  socket.destroy();
  return answers;
}

const resp = (...words: readonly string[]): string =>
  [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ''].join('\r\n');

/** The code of a refusal, or `in`. */
function outcomeOf(answer: string): string {
  if (!answer.startsWith('-')) return 'in';
  return /^-(?:ERR|WRONGPASS|NOPERM) ([a-z_]+)/.exec(answer)?.[1] ?? answer.split(' ', 1)[0]?.slice(1) ?? '';
}

interface Expected {
  /** `AUTH` and `HELLO … AUTH`. */
  readonly login: string;
  /** The events of the sandbox, by RESP and by the line protocol. */
  readonly sandbox: string;
  /** Those of all sandboxes, which only RESP can ask for. */
  readonly all: string;
}

const IN: Expected = { login: 'in', sandbox: 'in', all: 'in' };
const STRANGER: Expected = { login: 'unauthorized', sandbox: 'unauthorized', all: 'NOAUTH' };

const GOOD: Readonly<Record<Caller, Expected>> = {
  reader: IN,
  writer: IN,
  admin: IN,
  operator: { login: 'in', sandbox: 'forbidden', all: 'forbidden' },
  // A channel names no workspace: it is the sandbox of that name in the workspace of the key, which has no events.
  foreign: IN,
  sandbox: { ...IN, all: 'forbidden' },
  otherSandbox: { login: 'in', sandbox: 'unauthorized', all: 'forbidden' },
  stream: STRANGER,
};

const BAD: Readonly<Partial<Record<BadCaller, Expected>>> = {
  malformedKey: STRANGER,
  unknownKey: STRANGER,
  revokedKey: STRANGER,
  expiredToken: { login: 'token_expired', sandbox: 'token_expired', all: 'NOAUTH' },
  forgedToken: STRANGER,
  unsignedToken: STRANGER,
};

describe('the TCP port, called by each kind of caller', () => {
  let running: DescribedProcess;
  let callers: Callers;
  beforeAll(async () => {
    running = await startDescribedProcess({ SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '10000' });
    callers = await makeCallers(running.url);
  });
  afterAll(() => running.stop());

  async function outcomesOf(credential: string): Promise<Record<string, readonly string[]>> {
    const { pubSubPort: port } = running;
    const [auth, channel] = await converse(port, [resp('AUTH', credential), resp('SUBSCRIBE', SANDBOX_ID)]);
    const [hello, pattern] = await converse(port, [
      resp('HELLO', '3', 'AUTH', 'anyone', credential),
      resp('PSUBSCRIBE', '*'),
    ]);
    const [line] = await converse(port, [`SUBSCRIBE ${SANDBOX_ID} ${credential}\r\n`]);
    const of = (...answers: readonly (string | undefined)[]) => answers.map((answer) => outcomeOf(answer ?? ''));
    return { login: of(auth, hello), sandbox: of(channel, line), all: of(pattern) };
  }

  const spread = ({ login, sandbox, all }: Expected) => ({
    login: [login, login],
    // Who is not logged in by RESP is told so; a line has its credential with it.
    sandbox: [login === 'in' ? sandbox : 'NOAUTH', sandbox],
    all: [all],
  });

  it.each(Object.entries(GOOD))('lets in, or refuses, as it should: %s', async (caller, expected) => {
    const { text = '' } = callers.good[caller as Caller];
    expect(await outcomesOf(text)).toEqual(spread(expected));
  });

  it.each(Object.entries(BAD))('refuses %s', async (caller, expected) => {
    const { text = '' } = callers.bad[caller as BadCaller];
    expect(await outcomesOf(text)).toEqual(spread(expected));
  });

  it('does nothing for who shows no credential, also over loopback', async () => {
    const answers = await converse(running.pubSubPort, [resp('SUBSCRIBE', SANDBOX_ID)]);
    expect(answers.map(outcomeOf)).toEqual(['NOAUTH']);
    const [line = ''] = await converse(running.pubSubPort, [`SUBSCRIBE ${SANDBOX_ID}\r\n`]);
    expect(line).toMatch(/^-ERR /);
  });
});
