import {
  block,
  CHAIN_ID,
  dataUri,
  metadataSet,
  OTHER,
  OWNER,
  registered,
  registration,
  transfer,
  uriUpdated,
} from '../../test/samples';
import { HOUR_MS, NOW_MS, told, WatchedChain } from '../../test/watched-chain';
import type { EventEnvelope } from '@sluice/event-schema';
import { fileUrisOf, parseRegistrationFile, type FileReading } from '..';

const FILE = {
  name: 'Ada',
  description: 'Counts',
  services: [
    { name: 'MCP', endpoint: 'https://ada.example.org/mcp' },
    { name: 'web', endpoint: 'https://ada.example.org' },
  ],
};
const URI = 'https://ada.example.org/agent.json';

function readingOf(uri: string, file: unknown = FILE): FileReading {
  const parsed = parseRegistrationFile(new TextEncoder().encode(JSON.stringify(file)));
  if ('error' in parsed) throw new Error(parsed.error.message);
  return { status: 'read', uri, contentHash: `0x${'ef'.repeat(32)}`, file: parsed.file, readAt: NOW_MS };
}

describe('registrations', () => {
  it('tells of agent 0 once, with its place, its time, its wallet and the name of its number', async () => {
    const chain = new WatchedChain();
    const blocks = [block(5, [registration('0')])];
    const [event, ...more] = await chain.apply(blocks);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      family: 'registry',
      entityId: `${CHAIN_ID}:0`,
      workspaceId: 0,
      type: 'agent_registered',
      occurredAt: (blocks[0]?.timestamp ?? 0) * 1000,
    });
    expect(event?.data).toEqual({
      agentId: `${CHAIN_ID}:0`,
      chainId: CHAIN_ID,
      name: 'Agent #0',
      owner: OWNER,
      hasMcp: false,
      hasA2a: false,
      registration: { uri: '', wallet: OWNER },
      chain: {
        blockNumber: 5,
        blockHash: blocks[0]?.hash,
        transactionHash: blocks[0]?.facts[1]?.transactionHash,
        logIndex: 1,
      },
    });
    expect(chain.ignored).toEqual({});
  });

  it('takes metadata of the registering transaction into the registration', async () => {
    const chain = new WatchedChain();
    const [event, ...more] = await chain.apply([
      block(1, [[...registration('7'), metadataSet('7', 'a', '0x01'), metadataSet('7', '__proto__', '0x02')]]),
    ]);
    expect(more).toEqual([]);
    const metadata = Object.fromEntries([
      ['a', '0x01'],
      ['__proto__', '0x02'],
    ]);
    expect(event?.data['registration']).toEqual({ uri: '', wallet: OWNER, metadata });
    const keysOf = (event: EventEnvelope | undefined) =>
      Object.keys((event?.data['registration'] as { metadata: object }).metadata);
    expect(keysOf(event)).toEqual(['a', '__proto__']);
    const [added] = await chain.apply([block(2, [[metadataSet('7', 'constructor', '0x03')]])]);
    expect(keysOf(added)).toEqual(['a', '__proto__', 'constructor']);
    const [removed] = await chain.apply([block(3, [[metadataSet('7', '__proto__', '0x')]])]);
    expect(keysOf(removed)).toEqual(['a', 'constructor']);
    expect(await chain.revert(1)).toHaveLength(2);
  });

  it('reads a file that stands in the URI at once', async () => {
    const chain = new WatchedChain();
    const [event] = await chain.apply([block(1, [registration('1', dataUri(FILE))])]);
    expect(event?.data).toMatchObject({ name: 'Ada', hasMcp: true, hasA2a: false });
    expect(event?.data['registration']).toMatchObject({
      uri: dataUri(FILE),
      file: { name: 'Ada', mcpEndpoint: 'https://ada.example.org/mcp' },
    });
    expect(await chain.due('file')).toEqual([]);
    expect(await chain.due('reach')).toMatchObject([{ key: 'reach/1', dueAt: NOW_MS }]);
  });

  it('uses a file that was read ahead, and reads a mutable one again', async () => {
    const chain = new WatchedChain();
    const blocks = [block(1, [registration('1', URI)])];
    expect(
      fileUrisOf([
        ...blocks,
        block(2, [
          registration('2', 'data:,x'),
          registration('3', ' '),
          registration('4', `https://${'x'.repeat(3000)}`),
        ]),
      ]),
    ).toEqual([URI]);
    const [event] = await chain.apply(blocks, [readingOf(URI)]);
    expect(event?.data).toMatchObject({ name: 'Ada', registration: { readAt: NOW_MS, file: { name: 'Ada' } } });
    expect(await chain.due('file')).toMatchObject([{ key: 'file/1', dueAt: NOW_MS + HOUR_MS }]);
  });

  it('asks for a file that is not known', async () => {
    const chain = new WatchedChain();
    const [event] = await chain.apply([block(1, [registration('1', ` ${URI}\u0000 `)])]);
    expect(event?.data).toMatchObject({ name: 'Agent #1', hasMcp: false, registration: { uri: URI } });
    expect(await chain.fileRequests()).toEqual([{ tokenId: '1', uri: URI }]);
    expect(await chain.due('file')).toMatchObject([{ dueAt: NOW_MS }]);
  });

  it('tells of a file that could not be read', async () => {
    const chain = new WatchedChain();
    const error = { code: 'too_large', message: 'Too large' } as const;
    const failed: FileReading = { status: 'failed', uri: 'ipfs://x', error, retryable: false, readAt: NOW_MS };
    const events = await chain.apply(
      [
        block(1, [registration('1', 'ipfs://x'), registration('2', 'data:application/json,[')]),
        block(2, [registration('3', `https://x/${'y'.repeat(3000)}`)]),
      ],
      [failed],
    );
    expect(events.map(({ data }) => data['registration'])).toEqual([
      { uri: 'ipfs://x', readAt: NOW_MS, error, wallet: OWNER },
      expect.objectContaining({ error: { code: 'not_json', message: 'The file is not JSON' } }),
      expect.objectContaining({ error: expect.objectContaining({ code: 'uri_too_long' }) }),
    ]);
    expect(await chain.due('file')).toEqual([]);
  });

  it('ignores a second registration of an agent', async () => {
    const chain = new WatchedChain();
    await chain.apply([block(1, [[registered('1')]])]);
    expect(await chain.apply([block(2, [[registered('1', '', OTHER)]])])).toEqual([]);
    expect(chain.ignored).toEqual({ duplicate_registration: 1 });
  });
});

describe('changes of agents', () => {
  async function registeredChain(uri = '') {
    const chain = new WatchedChain();
    await chain.apply([block(1, [registration('1', uri)])]);
    return chain;
  }

  it('merges the logs of a transfer into one update, beside the transfer', async () => {
    const chain = await registeredChain();
    const events = await chain.apply([block(2, [transfer('1')])]);
    expect(told(events)).toEqual([
      ['agent_updated', { changes: ['owner', 'agentWallet'], registration: { wallet: null } }],
      ['agent_transferred', { from: OWNER, to: OTHER }],
    ]);
    expect(events.map(({ data }) => (data['chain'] as { logIndex: number }).logIndex)).toEqual([0, 1]);
  });

  it('tells of each transfer of a transaction, and of one update', async () => {
    const chain = await registeredChain();
    const events = await chain.apply([block(2, [[...transfer('1'), ...transfer('1', OWNER, OTHER)]])]);
    expect(events.map(({ type }) => type)).toEqual(['agent_updated', 'agent_transferred', 'agent_transferred']);
    expect((await chain.document('agent/1'))?.value).toMatchObject({ owner: OWNER, wallet: null });
  });

  it('tells of a transfer in the registering transaction', async () => {
    const chain = new WatchedChain();
    const events = await chain.apply([block(1, [[...registration('1'), ...transfer('1')]])]);
    expect(told(events)).toEqual([
      ['agent_registered', expect.objectContaining({ owner: OWNER, registration: { uri: '', wallet: null } })],
      ['agent_updated', { changes: ['owner'] }],
      ['agent_transferred', { from: OWNER, to: OTHER }],
    ]);
  });

  it('names the entries of metadata that changed, and keeps all of them', async () => {
    const chain = await registeredChain();
    const set = [metadataSet('1', 'a', '0x01'), metadataSet('1', 'b', '0x02'), metadataSet('1', 'agentWallet', OTHER)];
    expect(told(await chain.apply([block(2, [set])]))).toEqual([
      [
        'agent_updated',
        {
          changes: ['metadata.a', 'metadata.b', 'agentWallet'],
          registration: { wallet: OTHER, metadata: { a: '0x01', b: '0x02' } },
        },
      ],
    ]);
    expect(told(await chain.apply([block(3, [[metadataSet('1', 'a', '0x')]])]))).toEqual([
      ['agent_updated', { changes: ['metadata.a'], registration: { metadata: { b: '0x02' } } }],
    ]);
  });

  it('bounds the metadata that it keeps and names', async () => {
    const chain = await registeredChain();
    const many = Array.from({ length: 300 }, (_, n) =>
      metadataSet('1', `${'k'.repeat(90)}${n}`, `0x${'ff'.repeat(2000)}`),
    );
    const [event] = await chain.apply([block(2, [many])]);
    const { changes, registration: detail } = event?.data as { changes: string[]; registration: { metadata: object } };
    expect(changes.length).toBeLessThanOrEqual(42);
    expect(JSON.stringify(detail.metadata).length).toBeLessThanOrEqual(10 * 1024);
    const [value] = Object.values(detail.metadata) as string[];
    expect([value?.length, value?.endsWith('…')]).toEqual([999, true]);
  });

  it('tells the fields of a new file with the URI, if the file is known', async () => {
    const chain = await registeredChain(dataUri(FILE));
    const next = { ...FILE, description: 'Counts on', services: [] };
    const [event] = await chain.apply([block(2, [[uriUpdated('1', dataUri(next))]])]);
    expect(event?.type).toBe('agent_updated');
    expect(event?.data).toMatchObject({
      changes: ['agentURI', 'description', 'mcpEndpoint', 'services'],
      registration: { uri: dataUri(next), file: { name: 'Ada', description: 'Counts on' } },
    });
    expect(await chain.due('reach')).toEqual([]);
  });

  it('tells the URI alone while the file is not known, and keeps what was known', async () => {
    const chain = await registeredChain(dataUri(FILE));
    expect(told(await chain.apply([block(2, [[uriUpdated('1', URI)]])]))).toEqual([
      ['agent_updated', { changes: ['agentURI'], registration: { uri: URI } }],
    ]);
    const events = await chain.file('1', readingOf(URI, { ...FILE, image: 'https://ada.example.org/i.png' }));
    expect(told(events)).toMatchObject([['agent_updated', { changes: ['image'], registration: { uri: URI } }]]);
  });

  it('knows nothing any more of an agent whose URI was taken away', async () => {
    const chain = await registeredChain(dataUri(FILE));
    const [event] = await chain.apply([block(2, [[uriUpdated('1', '')]])]);
    expect(event?.data).toMatchObject({
      changes: ['agentURI', 'name', 'description', 'mcpEndpoint', 'services'],
      registration: { uri: '', file: { name: 'Agent #1', services: [] } },
    });
  });

  it('merges all logs of a transaction about an agent, at the first of them, and keeps agents apart', async () => {
    const chain = await registeredChain();
    await chain.apply([block(2, [registration('2')])]);
    const events = await chain.apply([
      block(3, [
        [metadataSet('2', 'a', '0x01'), uriUpdated('1', 'ipfs://x'), ...transfer('1'), uriUpdated('1', 'ipfs://y')],
      ]),
    ]);
    expect(told(events)).toEqual([
      ['agent_updated', expect.objectContaining({ changes: ['metadata.a'] })],
      [
        'agent_updated',
        { changes: ['agentURI', 'owner', 'agentWallet'], registration: { uri: 'ipfs://y', wallet: null } },
      ],
      ['agent_transferred', { from: OWNER, to: OTHER }],
    ]);
    expect(events.map(({ data }) => (data['chain'] as { logIndex: number }).logIndex)).toEqual([0, 1, 3]);
  });

  it('ignores agents that it does not know, and tokens that are none', async () => {
    const chain = new WatchedChain();
    const events = await chain.apply([
      block(1, [
        [...transfer('9')],
        [uriUpdated('9', '')],
        [metadataSet('01', 'a', '0x')],
        [registered('1'.repeat(79))],
      ]),
    ]);
    expect(events).toEqual([]);
    expect(chain.ignored).toEqual({ unknown_agent: 3, malformed_fact: 2 });
  });
});
