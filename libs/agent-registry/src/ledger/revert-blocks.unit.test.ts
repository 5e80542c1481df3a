import {
  attestationRevoked,
  attested,
  block,
  CHAIN_ID,
  CLIENT,
  dataUri,
  feedback,
  HASH,
  hash32,
  metadataSet,
  OTHER,
  OWNER,
  registration,
  revoked,
  transfer,
  uriUpdated,
  type Said,
} from '../../test/samples';
import { NOW_MS, told, WatchedChain } from '../../test/watched-chain';
import { parseRegistrationFile, type FileReading } from '..';
import { eventIdOf } from './ledger-run';

const URI = 'https://ada.example.org/agent.json';
const services = [{ name: 'MCP', endpoint: 'https://ada.example.org/mcp' }];
const FILE = { name: 'Ada', services };

function read(file: unknown, uri = URI): FileReading {
  const parsed = parseRegistrationFile(new TextEncoder().encode(JSON.stringify(file)));
  if ('error' in parsed) throw new Error(parsed.error.message);
  return { status: 'read', uri, file: parsed.file, readAt: NOW_MS };
}

async function agentOf(uri = '') {
  const chain = new WatchedChain({ classifierAvailable: true });
  await chain.apply([block(1, [registration('1', uri)])]);
  return chain;
}

/** What undoing a block with one transaction tells. */
async function undone(chain: WatchedChain, ...said: readonly Said[]) {
  const events = await chain.apply([block(2, [said])]);
  return { events, answers: await chain.revert(1) };
}

describe('revertBlocks', () => {
  it('answers a registration, at its place, in the present', async () => {
    const chain = await agentOf();
    const { events, answers } = await undone(chain, ...registration('2'));
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      type: 'agent_registration_reverted',
      occurredAt: NOW_MS,
      data: {
        agentId: `${CHAIN_ID}:2`,
        revertedEventId: events[0]?.id,
        name: 'Agent #2',
        owner: OWNER,
        chain: events[0]?.data['chain'],
      },
    });
    expect(await chain.document('agent/2')).toBeUndefined();
    expect(await chain.document('agent/1')).toBeDefined();
  });

  it('answers an update with all that is known again', async () => {
    const chain = await agentOf(dataUri(FILE));
    const { events, answers } = await undone(
      chain,
      uriUpdated('1', dataUri({ name: 'Bob' })),
      metadataSet('1', 'a', '0x01'),
      ...transfer('1'),
    );
    expect(events.map(({ type }) => type)).toEqual(['agent_updated', 'agent_transferred']);
    expect(told(answers)).toEqual([
      ['agent_transfer_reverted', { revertedEventId: events[1]?.id, from: OWNER, to: OTHER }],
      [
        'agent_update_reverted',
        {
          revertedEventId: events[0]?.id,
          changes: ['agentURI', 'name', 'mcpEndpoint', 'owner', 'metadata.a', 'agentWallet'],
          registration: {
            uri: dataUri(FILE),
            file: expect.objectContaining({ name: 'Ada', mcpEndpoint: 'https://ada.example.org/mcp' }),
            wallet: OWNER,
          },
        },
      ],
    ]);
  });

  it('answers feedback, its revocation and its responses', async () => {
    const chain = await agentOf();
    const response: Said = {
      kind: 'response_appended',
      tokenId: '1',
      client: CLIENT,
      feedbackIndex: '1',
      responder: OTHER,
      responseUri: '',
      responseHash: HASH,
    };
    const { events, answers } = await undone(
      chain,
      feedback('1', '1', '80'),
      feedback('1', '2', '50', { tag1: 'uptime' }),
      response,
      revoked('1', '1'),
    );
    const ids = events.map(({ id }) => id);
    const place = { clientAddress: CLIENT, feedbackIndex: '1' };
    expect(told(answers)).toEqual([
      ['reputation_change', { previousScore: 0, newScore: 80, feedbackCount: 1 }],
      ['feedback_revocation_reverted', { revertedEventId: ids[3], ...place }],
      ['feedback_response_reverted', { revertedEventId: ids[2], ...place, responder: OTHER }],
      ['feedback_reverted', { revertedEventId: ids[1], clientAddress: CLIENT, feedbackIndex: '2' }],
      ['feedback_reverted', { revertedEventId: ids[0], ...place }],
      ['reputation_change', { previousScore: 80, newScore: 0, feedbackCount: 0 }],
    ]);
  });

  it('answers attestations and validations', async () => {
    const chain = await agentOf();
    const requested: Said = {
      kind: 'validation_requested',
      tokenId: '1',
      validator: OTHER,
      requestUri: '',
      requestHash: HASH,
    };
    const responded: Said = {
      ...{ kind: 'validation_responded' as const, tokenId: '1', validator: OTHER, requestHash: HASH, response: 1 },
      ...{ responseUri: '', responseHash: HASH, tag: '' },
    };
    const { answers } = await undone(
      chain,
      attested(1, `${CHAIN_ID}:1`, 3),
      attestationRevoked(1),
      requested,
      responded,
    );
    const place = { attestationUid: hash32(1), attester: OTHER, revertedEventId: expect.any(String) };
    const validation = { validator: OTHER, requestHash: HASH, revertedEventId: expect.any(String) };
    expect(told(answers)).toEqual([
      ['validation_response_reverted', validation],
      ['validation_request_reverted', validation],
      ['reputation_change', { previousScore: 0, newScore: 50, feedbackCount: 1 }],
      ['attestation_revocation_reverted', place],
      ['reputation_change', { previousScore: 50, newScore: 0, feedbackCount: 0 }],
      ['attestation_reverted', place],
    ]);
  });

  it('undoes blocks from the highest on', async () => {
    const chain = await agentOf();
    await chain.apply([block(2, [[feedback('1', '1', '80')]]), block(3, []), block(4, [[feedback('1', '2', '60')]])]);
    expect((await chain.journals()).map(({ block: { number } }) => number)).toEqual([4, 3, 2, 1]);
    const answers = await chain.revert(1);
    expect(answers.map(({ data }) => data['newScore'] ?? data['feedbackIndex'])).toEqual(['2', 80, '1', 0]);
    expect((await chain.journals()).map(({ block: { number } }) => number)).toEqual([1]);
  });

  it('counts how often a block was undone, so that its events have other ids when it comes back', async () => {
    const chain = await agentOf();
    const gone = block(2, [[feedback('1', '1', '80')]]);
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.push(...(await chain.apply([gone])).map(({ id }) => id));
      ids.push(...(await chain.revert(1)).map(({ id }) => id));
    }
    expect(new Set(ids).size).toBe(9);
    const [fact] = gone.facts;
    const key = `${CHAIN_ID}/${gone.hash}/${fact?.transactionHash}/0/reputation_change`;
    const idOf = (suffix: string) => eventIdOf({ agentId: `${CHAIN_ID}:1`, key: key + suffix });
    expect([ids[0], ids[3], ids[6]]).toEqual([idOf(''), idOf('/again1'), idOf('/again2')]);
    expect((await chain.document(`reverted/${gone.hash}`))?.value).toEqual({ times: 3 });
  });

  it('takes back a file that was read after the block that named it', async () => {
    const chain = await agentOf(dataUri(FILE));
    await chain.apply([block(2, [[uriUpdated('1', URI)]])]);
    const [late] = await chain.file('1', read({ name: 'Bob', services: [{ name: 'A2A', endpoint: 'https://b' }] }));
    await chain.probe('1', { a2a: { reachable: true } });
    const answers = told(await chain.revert(1));
    expect(answers).toEqual([
      [
        'agent_update_reverted',
        expect.objectContaining({
          changes: ['agentURI'],
          registration: expect.objectContaining({ uri: dataUri(FILE), file: expect.objectContaining({ name: 'Ada' }) }),
        }),
      ],
      ['reachability_update', { mcpReachable: false, a2aReachable: false, previousMcp: false, previousA2a: true }],
    ]);
    expect((await chain.document('file/1'))?.value).toMatchObject({ status: 'read', file: { name: 'Ada' } });
    expect((await chain.document('reach/1'))?.value).toMatchObject({ mcpEndpoint: services[0]?.endpoint });
    expect(await chain.file('1', read({ name: 'Bob' }))).toEqual([]);
    // Read again after the next block of that name: another event, not the one that was taken back.
    await chain.apply([block(2, [[uriUpdated('1', URI)]], 1)]);
    const [again] = await chain.file('1', read({ name: 'Bob' }));
    expect(again?.type).toBe('agent_updated');
    expect(again?.id).not.toBe(late?.id);
  });

  it('keeps what probes found of the same endpoints', async () => {
    const chain = await agentOf(dataUri(FILE));
    await chain.probe('1', { mcp: { reachable: true } });
    await chain.apply([block(2, [[uriUpdated('1', dataUri({ ...FILE, name: 'Bob' }))]])]);
    for (let n = 0; n < 3; n++) await chain.probe('1', { mcp: { reachable: false } });
    expect((await chain.revert(1)).map(({ type }) => type)).toEqual(['agent_update_reverted']);
    expect((await chain.document('reach/1'))?.value).toMatchObject({ mcp: { said: false, failures: 3 } });
  });

  it('says again what was reachable, and of which class, before an undone block changed it', async () => {
    const declared = { name: 'OASF', endpoint: '', skills: ['audio'] };
    const chain = await agentOf(dataUri({ ...FILE, services: [...services, declared] }));
    await chain.probe('1', { mcp: { reachable: true } });
    const changed = await chain.apply([block(2, [[uriUpdated('1', '')]])]);
    expect(changed.map(({ type }) => type)).toEqual([
      'agent_updated',
      'reachability_update',
      'classification_complete',
    ]);
    expect(told(await chain.revert(1))).toMatchObject([
      ['agent_update_reverted', {}],
      ['reachability_update', { mcpReachable: true, previousMcp: false }],
      ['classification_complete', { skills: [{ slug: 'audio', name: 'Audio' }], confidence: 1 }],
    ]);
  });

  it('forgets all of an agent whose registration is undone, and knows another that gets its token as another', async () => {
    const chain = new WatchedChain({ classifierAvailable: true });
    await chain.apply([block(1, [registration('0', URI)])]);
    const first = await chain.file('0', read(FILE));
    const probed = await chain.probe('0', { mcp: { reachable: true } });
    const answers = await chain.revert(0);
    expect(answers.map(({ type }) => type)).toEqual(['agent_registration_reverted']);
    for (const kind of ['agent', 'file', 'reach', 'class']) expect(await chain.document(`${kind}/0`)).toBeUndefined();
    expect(await chain.file('0', read(FILE))).toEqual([]);
    const [registered] = await chain.apply([block(1, [registration('0', `${URI}?b`, OTHER)], 1)]);
    expect(registered?.data).toMatchObject({ name: 'Agent #0', owner: OTHER });
    expect(await chain.file('0', read(FILE))).toEqual([]);
    const second = await chain.file('0', read(FILE, `${URI}?b`));
    const probedAgain = await chain.probe('0', { mcp: { reachable: true } });
    const ids = [...first, ...probed, ...second, ...probedAgain].map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([4, 4]);
    expect(probedAgain[0]?.data).toMatchObject({ mcpReachable: true, previousMcp: false });
  });
});
