import { block, dataUri, OWNER, registration, uriUpdated } from '../../test/samples';
import { HOUR_MS, NOW_MS, POLICY, told, WatchedChain } from '../../test/watched-chain';
import { applyProbe, parseRegistrationFile, probeKeys, type ClassificationResult, type FileReading } from '..';

const URI = 'https://ada.example.org/agent.json';
const MCP = { name: 'MCP', endpoint: 'https://ada.example.org/mcp' };
const A2A = { name: 'A2A', endpoint: 'https://ada.example.org/card' };
const FILE = { name: 'Ada', description: 'Counts', services: [MCP] };

function read(file: unknown, uri = URI): FileReading {
  const parsed = parseRegistrationFile(new TextEncoder().encode(JSON.stringify(file)));
  if ('error' in parsed) throw new Error(parsed.error.message);
  return { status: 'read', uri, file: parsed.file, readAt: NOW_MS };
}
const failed = (code: 'timeout' | 'not_json', retryable = true): FileReading => ({
  status: 'failed',
  uri: URI,
  error: { code, message: `${code} after ${Math.random()} ms` },
  retryable,
  readAt: NOW_MS,
});

async function agentOf(uri: string, classifierAvailable = false, probeFirstDelayMs = 0) {
  const chain = new WatchedChain({ classifierAvailable, probeFirstDelayMs });
  await chain.apply([block(1, [registration('1', uri)])]);
  return chain;
}

describe('applyFile', () => {
  it('tells the fields of a file that was read, and of those that change later', async () => {
    const chain = await agentOf(URI);
    const [event, ...more] = await chain.file('1', read(FILE));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: 'agent_updated', occurredAt: NOW_MS });
    expect(event?.data).toMatchObject({
      changes: ['name', 'description', 'mcpEndpoint'],
      registration: { uri: URI, readAt: NOW_MS, file: { name: 'Ada', mcpEndpoint: MCP.endpoint } },
    });
    expect(event?.data['chain']).toBeUndefined();
    expect(await chain.file('1', read(FILE))).toEqual([]);
    expect(told(await chain.file('1', read({ ...FILE, name: 'Bob' })))).toMatchObject([
      ['agent_updated', { changes: ['name'] }],
    ]);
    expect(await chain.due('file')).toMatchObject([{ key: 'file/1', dueAt: NOW_MS + HOUR_MS }]);
  });

  it('tells of an error once, of another one, and of its end, and tries again later and later', async () => {
    const chain = await agentOf(URI);
    const after = async () => ((await chain.due('file'))[0]?.dueAt ?? 0) - NOW_MS;
    expect(told(await chain.file('1', failed('timeout')))).toMatchObject([
      ['agent_updated', { changes: ['registrationFile'], registration: { uri: URI, error: { code: 'timeout' } } }],
    ]);
    expect(await after()).toBe(30_000);
    expect(await chain.file('1', failed('timeout'))).toEqual([]);
    expect(await after()).toBe(60_000);
    expect(await chain.file('1', failed('not_json', false))).toHaveLength(1);
    expect(await after()).toBe(HOUR_MS);
    for (let n = 0; n < 50; n++) await chain.file('1', failed('not_json'));
    expect(await after()).toBe(HOUR_MS);
    const [end] = await chain.file('1', read({}));
    expect(end?.data).toMatchObject({ changes: ['registrationFile'], registration: { file: { name: 'Agent #1' } } });
    expect((await chain.document('file/1'))?.value).not.toHaveProperty('error');
  });

  it.each(['\u0001 https://a.example/x', ' \u007f https://a.example/x \u0000 ', '\ud800 x'])(
    'knows the URI %j again, whatever its writer put into it',
    async (uri) => {
      const chain = await agentOf(uri);
      const [asked] = await chain.due('file');
      const { uri: kept = '' } = (asked?.value ?? {}) as { uri?: string };
      expect(await chain.file('1', { ...failed('timeout'), uri: kept })).toHaveLength(1);
      expect((await chain.due('file'))[0]?.dueAt).toBe(NOW_MS + 30_000);
    },
  );

  it('keeps what was read while the next reading fails', async () => {
    const chain = await agentOf(URI);
    await chain.file('1', read(FILE));
    const [event] = await chain.file('1', failed('timeout'));
    expect(event?.data['registration']).not.toHaveProperty('file');
    expect((await chain.document('file/1'))?.value).toMatchObject({ status: 'failed', file: { name: 'Ada' } });
    expect(told(await chain.file('1', read(FILE)))).toMatchObject([
      ['agent_updated', { changes: ['registrationFile'] }],
    ]);
  });

  it('ignores a file of a URI that is no longer the agent’s, and of agents that there are not', async () => {
    const chain = await agentOf(URI);
    await chain.apply([block(2, [[uriUpdated('1', 'ipfs://other')]])]);
    expect(await chain.file('1', read(FILE))).toEqual([]);
    expect(await chain.file('2', read(FILE))).toEqual([]);
    expect(chain.ignored).toEqual({ outdated_result: 2 });
    expect(await chain.fileRequests()).toEqual([{ tokenId: '1', uri: 'ipfs://other' }]);
    await chain.file('1', read(FILE, 'ipfs://other'));
    expect(await chain.fileRequests()).toEqual([]);
  });
});

describe('applyProbe', () => {
  const up = { reachable: true };
  const down = { reachable: false };

  it('tells the first answer, and those that differ, with what was before', async () => {
    const chain = await agentOf(dataUri({ services: [MCP, A2A] }), false, 5_000);
    expect(await chain.due('reach')).toMatchObject([{ key: 'reach/1', dueAt: NOW_MS + 5_000 }]);
    expect(told(await chain.probe('1', { mcp: up, a2a: down }))).toEqual([
      ['reachability_update', { mcpReachable: true, a2aReachable: false, previousMcp: false, previousA2a: false }],
    ]);
    expect(await chain.probe('1', { mcp: up, a2a: down })).toEqual([]);
    expect(told(await chain.probe('1', { mcp: up, a2a: up }))).toEqual([
      ['reachability_update', { mcpReachable: true, a2aReachable: true, previousMcp: true, previousA2a: false }],
    ]);
    expect(await chain.due('reach')).toMatchObject([{ dueAt: NOW_MS + POLICY.intervalMs }]);
  });

  it('needs failures in a row to call an endpoint unreachable, and one success to call it reachable', async () => {
    const chain = await agentOf(dataUri(FILE));
    await chain.probe('1', { mcp: up });
    expect([await chain.probe('1', { mcp: down }), await chain.probe('1', { mcp: down })]).toEqual([[], []]);
    expect(await chain.probe('1', { mcp: up })).toEqual([]);
    expect([await chain.probe('1', { mcp: down }), await chain.probe('1', { mcp: down })]).toEqual([[], []]);
    expect(told(await chain.probe('1', { mcp: down }))).toMatchObject([
      ['reachability_update', { mcpReachable: false, previousMcp: true }],
    ]);
    expect(await chain.probe('1', { mcp: down })).toEqual([]);
    expect(told(await chain.probe('1', { mcp: up }))).toMatchObject([['reachability_update', { mcpReachable: true }]]);
  });

  it('tells that an endpoint was never reachable', async () => {
    const chain = await agentOf(dataUri(FILE));
    expect([await chain.probe('1', { mcp: down }), await chain.probe('1', { mcp: down })]).toEqual([[], []]);
    expect(told(await chain.probe('1', { mcp: down }))).toEqual([
      ['reachability_update', { mcpReachable: false, a2aReachable: false, previousMcp: false, previousA2a: false }],
    ]);
  });

  it('begins anew with another endpoint, and ignores probes of the former one', async () => {
    const chain = await agentOf(dataUri({ services: [MCP, A2A] }));
    await chain.probe('1', { mcp: up, a2a: up });
    const services = [{ name: 'MCP', endpoint: 'https://new.example.org' }, A2A];
    expect(told(await chain.apply([block(2, [[uriUpdated('1', dataUri({ services }))]])]))).toEqual([
      ['agent_updated', expect.objectContaining({ changes: ['agentURI', 'mcpEndpoint'] })],
      ['reachability_update', { mcpReachable: false, a2aReachable: true, previousMcp: true, previousA2a: true }],
    ]);
    const former = { tokenId: '1', mcpEndpoint: MCP.endpoint, a2aEndpoint: A2A.endpoint };
    expect(await chain.probe('1', { target: former, mcp: down, a2a: down })).toEqual([]);
    expect(chain.ignored).toEqual({ outdated_result: 1 });
    for (let n = 0; n < 5; n++) expect(await chain.probe('1', { mcp: down, a2a: up })).toEqual([]);
  });

  it('tells the first answer of another endpoint, also where it is that of the former one', async () => {
    const chain = await agentOf(dataUri({ services: [MCP, A2A] }));
    await chain.probe('1', { mcp: up, a2a: up });
    const services = [{ name: 'MCP', endpoint: 'https://new.example.org' }, A2A];
    await chain.apply([block(2, [[uriUpdated('1', dataUri({ services }))]])]);
    expect(told(await chain.probe('1', { mcp: up, a2a: up }))).toEqual([
      ['reachability_update', { mcpReachable: true, a2aReachable: true, previousMcp: false, previousA2a: true }],
    ]);
  });

  it('tells that what is gone is not reachable, with the block that took it away', async () => {
    const chain = await agentOf(dataUri({ services: [MCP, A2A] }));
    await chain.probe('1', { mcp: up, a2a: up });
    const [, one] = await chain.apply([block(2, [[uriUpdated('1', dataUri({ services: [A2A] }))]])]);
    expect(one?.data).toMatchObject({
      mcpReachable: false,
      a2aReachable: true,
      previousMcp: true,
      chain: { blockNumber: 2 },
    });
    const [, all] = await chain.apply([block(3, [[uriUpdated('1', '')]])]);
    expect(all?.data).toMatchObject({ mcpReachable: false, a2aReachable: false, previousA2a: true });
    expect(await chain.document('reach/1')).toBeUndefined();
    expect(await chain.probe('1', { mcp: up })).toEqual([]);
  });

  it('puts the next probe off by up to a tenth of the interval', async () => {
    const chain = await agentOf(dataUri(FILE));
    const documents = await chain.store.read(31337, probeKeys('1'));
    const context = { chainId: 31337, nowMs: NOW_MS, classifierAvailable: false, fileReReadIntervalMs: HOUR_MS };
    const result = { target: { tokenId: '1', mcpEndpoint: MCP.endpoint }, mcp: up, probedAt: NOW_MS };
    const dueAt = (jitter: number) =>
      applyProbe(documents, '1', result, { ...context, ...POLICY, jitter }).changes.at(-1)?.dueAt;
    expect([dueAt(0), dueAt(0.5), dueAt(1)]).toEqual(
      [1, 1.05, 1.1].map((share) => NOW_MS + Math.round(HOUR_MS * share)),
    );
  });
});

describe('classes', () => {
  const OASF = { name: 'OASF', endpoint: '', skills: ['audio/speech', 'code_generation', 'none'], domains: ['legal'] };
  const found = (inputHash: string, slug = 'audio', confidence = 0.7): ClassificationResult => ({
    status: 'classified',
    inputHash,
    skills: [
      { slug, name: 'any', confidence },
      { slug: 'none', name: 'None', confidence },
    ],
    domains: [],
    confidence,
    model: 'm',
  });

  it('that an agent declares are told with full confidence, when they change', async () => {
    const chain = await agentOf(dataUri({ ...FILE, services: [OASF] }), true);
    expect(told(chain.events)[1]).toEqual([
      'classification_complete',
      {
        skills: [
          { slug: 'audio', name: 'Audio' },
          { slug: 'tool_interaction', name: 'Tool Interaction' },
        ],
        domains: [{ slug: 'legal', name: 'Legal' }],
        confidence: 1,
      },
    ]);
    expect(await chain.due('class')).toEqual([]);
    const same = dataUri({ ...FILE, name: 'Bob', services: [{ ...OASF, skills: ['audio', 'tool_interaction'] }] });
    expect((await chain.apply([block(2, [[uriUpdated('1', same)]])])).map(({ type }) => type)).toEqual([
      'agent_updated',
    ]);
    const none = await chain.apply([block(3, [[uriUpdated('1', dataUri(FILE))]])]);
    expect(told(none)[1]).toEqual(['classification_complete', { skills: [], domains: [], confidence: 0 }]);
    expect(await chain.due('class')).toMatchObject([{ key: 'class/1', dueAt: NOW_MS }]);
  });

  it('are found by a classifier, if there is one', async () => {
    expect(await (await agentOf(dataUri(FILE))).due('class')).toEqual([]);
    const chain = await agentOf(dataUri(FILE), true);
    const request = await chain.classificationRequest('1');
    expect(request).toEqual({
      tokenId: '1',
      inputHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'Ada',
      description: 'Counts',
      serviceNames: ['MCP'],
      owner: OWNER,
    });
    const { inputHash } = request ?? { inputHash: '' };
    await chain.classify('1', { status: 'failed', inputHash, retryAfterMs: 5_000, reason: 'busy' });
    expect(await chain.due('class')).toMatchObject([{ dueAt: NOW_MS + 5_000 }]);
    expect(told(await chain.classify('1', found(inputHash)))).toEqual([
      ['classification_complete', { skills: [{ slug: 'audio', name: 'Audio' }], domains: [], confidence: 0.7 }],
    ]);
    expect(await chain.due('class')).toEqual([]);
    expect(await chain.classificationRequest('1')).toBeUndefined();
  });

  it('are found anew for another name or description, not for another endpoint', async () => {
    const chain = await agentOf(dataUri(FILE), true);
    const { inputHash = '' } = (await chain.classificationRequest('1')) ?? {};
    await chain.classify('1', found(inputHash));
    await chain.apply([
      block(2, [[uriUpdated('1', dataUri({ ...FILE, services: [{ ...MCP, endpoint: 'https://b' }] }))]]),
    ]);
    expect(await chain.due('class')).toEqual([]);
    await chain.apply([block(3, [[uriUpdated('1', dataUri({ ...FILE, name: 'Bob' }))]])]);
    expect(await chain.classify('1', found(inputHash, 'tabular_text'))).toEqual([]);
    expect(chain.ignored).toEqual({ outdated_result: 1 });
    const next = (await chain.classificationRequest('1'))?.inputHash ?? '';
    expect(await chain.classify('1', found(next))).toEqual([]);
    expect(await chain.due('class')).toEqual([]);
  });

  it('are not asked for of agents that say nothing', async () => {
    expect(await (await agentOf(dataUri({}), true)).due('class')).toEqual([]);
    expect(await (await agentOf('', true)).due('class')).toEqual([]);
  });
});
