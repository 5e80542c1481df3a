import { REGISTRY_EVENT_TYPES, type EncodedEnvelope } from '@sluice/event-schema';
import type { CurrentAgentHarness } from './agent-harness';
import { sampleOfEachType } from './agent-history';
import { about, addressOf, bareAgent, file, hashOf, rated, rating, registered, updated } from './agent-samples';
import { OCCURRED_AT } from './workspace-envelope';

const AGENT = '11155111:0';
const REVERTED = '01a1fe01-6240-73e6-8f05-0efe9e01e202';
const SERVICES = [{ name: 'MCP', endpoint: 'https://a.example/mcp', version: '2025-06-18' }];

/** What events make of agents. */
export function describeAgentsOfEvents(current: CurrentAgentHarness): void {
  const find = (agentId = AGENT) => current().agents.find(agentId);
  const after = async (...envelopes: readonly EncodedEnvelope[]) => {
    await current().record(envelopes);
    return find();
  };

  it('makes an agent by its registration, agent 0 too', async () => {
    expect(await after(registered(AGENT))).toEqual(bareAgent(AGENT));
    expect(await find('11155111:1')).toBeUndefined();
  });

  it('makes an agent with all that its registration says', async () => {
    const registration = {
      uri: 'ipfs://Qm',
      contentHash: hashOf(1),
      readAt: 5,
      file: file('Weather', {
        description: 'It rains',
        image: 'https://a.example/i.png',
        active: true,
        x402Support: false,
        services: SERVICES,
        mcpEndpoint: 'https://a.example/mcp',
        supportedTrust: ['reputation'],
        declaredSkills: ['audio'],
        updatedAt: 7,
      }),
      wallet: addressOf(9).toUpperCase().replace('0X', '0x'),
      metadata: { key: '0x01' },
    };
    const owner = addressOf(3).toUpperCase().replace('0X', '0x');
    expect(await after(registered(AGENT, { name: 'Weather', owner, hasMcp: true, registration }))).toEqual({
      ...bareAgent(AGENT),
      owner: addressOf(3),
      name: 'Weather',
      uri: 'ipfs://Qm',
      wallet: addressOf(9),
      description: 'It rains',
      image: 'https://a.example/i.png',
      active: true,
      x402Support: false,
      services: SERVICES,
      mcpEndpoint: 'https://a.example/mcp',
      supportedTrust: ['reputation'],
      hasMcp: true,
      metadata: { key: '0x01' },
    });
  });

  it('knows an agent whose file cannot be read, and forgets the fault when one is read or named', async () => {
    const error = { code: 'timeout', message: 'No answer' };
    const uri = 'https://a.example/1';
    expect(await after(registered(AGENT, { registration: { uri, error } }))).toMatchObject({ uri, fileError: error });
    const read = await after(updated(AGENT, { file: file('A', { description: 'first' }) }));
    expect(read).toMatchObject({ uri, name: 'A', description: 'first' });
    expect(read).not.toHaveProperty('fileError');
    const known = { name: 'A', description: 'first' };
    expect(await after(updated(AGENT, { error }))).toMatchObject({ uri, ...known, fileError: error });
    expect(await after(updated(AGENT, { wallet: addressOf(4) }))).toMatchObject({ ...known, fileError: error });
    const named = await after(updated(AGENT, { uri: 'https://a.example/2' }));
    expect(named).toMatchObject({ uri: 'https://a.example/2', ...known, wallet: addressOf(4) });
    expect(named).not.toHaveProperty('fileError');
    const none = await after(updated(AGENT, { uri: '', file: file('') }));
    expect(none).toEqual({ ...bareAgent(AGENT), wallet: addressOf(4), lastPosition: 6 });
  });

  it('changes what an update names as a whole, and nothing else', async () => {
    const first = file('A', {
      description: 'd',
      active: true,
      services: SERVICES,
      a2aEndpoint: 'https://a.example/a2a',
    });
    await after(
      registered(AGENT, { registration: { uri: 'ipfs://1', file: first, metadata: { a: '0x01', b: '0x02' } } }),
    );
    const renamed = await after(updated(AGENT, { file: file('B') }, { occurredAt: OCCURRED_AT + 5 }));
    expect(renamed).toEqual({
      ...bareAgent(AGENT),
      uri: 'ipfs://1',
      name: 'B',
      metadata: { a: '0x01', b: '0x02' },
      updatedAt: OCCURRED_AT + 5,
      lastPosition: 2,
    });
    expect(await after(updated(AGENT, { metadata: { c: '0x03' }, wallet: addressOf(7) }))).toMatchObject({
      metadata: { c: '0x03' },
      wallet: addressOf(7),
      name: 'B',
    });
    expect(await after(updated(AGENT, { wallet: null }))).not.toHaveProperty('wallet');
    expect(await after(updated(AGENT, { file: file('') }))).toMatchObject({ name: 'Agent #0' });
  });

  it('takes an update back to all that was known before, which may be nothing', async () => {
    const before = { uri: 'ipfs://1', file: file('A', { description: 'd' }), metadata: { a: '0x01' } };
    const made = await after(registered(AGENT, { name: 'A', registration: before }));
    const error = { code: 'timeout', message: 'No answer' };
    await after(
      updated(AGENT, { uri: 'ipfs://2', file: file('B'), error, wallet: addressOf(7), metadata: { b: '0x02' } }),
    );
    const reverted = { changes: ['agentURI'], revertedEventId: REVERTED };
    expect(await after(about(AGENT, 'agent_update_reverted', { ...reverted, registration: before }))).toEqual({
      ...made,
      lastPosition: 3,
    });
    expect(await after(about(AGENT, 'agent_update_reverted', { ...reverted, registration: {} }))).toEqual({
      ...bareAgent(AGENT),
      lastPosition: 4,
    });
    await after(updated(AGENT, { file: file('C') }));
    expect(await after(about(AGENT, 'agent_update_reverted', reverted))).toMatchObject({ name: 'C', lastPosition: 6 });
  });

  it('follows the owner, and back', async () => {
    await after(registered(AGENT));
    const transfer = { from: addressOf(1), to: addressOf(5).replace('a', 'A') };
    expect(await after(about(AGENT, 'agent_transferred', transfer))).toMatchObject({ owner: addressOf(5) });
    const back = about(AGENT, 'agent_transfer_reverted', { ...transfer, revertedEventId: REVERTED });
    expect(await after(back)).toMatchObject({ owner: addressOf(1) });
  });

  it('knows the score of an agent with ratings, and none without', async () => {
    await after(registered(AGENT));
    expect(await after(rated(AGENT, 80, 1, rating('1')))).toMatchObject({ score: 80, feedbackCount: 1 });
    expect(await after(rated(AGENT, 71.33, 3))).toMatchObject({ score: 71.33, feedbackCount: 3 });
    expect(await after(rated(AGENT, 0, 1))).toMatchObject({ score: 0, feedbackCount: 1 });
    expect(await after(rated(AGENT, 0, 0))).toMatchObject({ score: null, feedbackCount: 0 });
  });

  it('knows what can be reached, as was found out last', async () => {
    await after(registered(AGENT, { hasMcp: true }));
    const reach = (mcpReachable: boolean, a2aReachable: boolean, occurredAt: number) =>
      about(AGENT, 'reachability_update', { mcpReachable, a2aReachable }, { occurredAt });
    expect(await after(reach(true, false, OCCURRED_AT + 9))).toMatchObject({
      mcpReachable: true,
      a2aReachable: false,
      reachabilityCheckedAt: OCCURRED_AT + 9,
    });
    const moved = updated(AGENT, { file: file('A', { mcpEndpoint: 'https://b.example' }) });
    expect(await after(moved)).toMatchObject({ hasMcp: true, mcpReachable: true, a2aReachable: false });
    expect(await after(reach(false, true, OCCURRED_AT + 20))).toMatchObject({
      mcpReachable: false,
      a2aReachable: true,
      reachabilityCheckedAt: OCCURRED_AT + 20,
    });
  });

  it('knows the newest classification', async () => {
    await after(registered(AGENT));
    const classes = { skills: [{ slug: 'audio', name: 'Audio' }], domains: [{ slug: 'energy', name: 'Energy' }] };
    expect(await after(about(AGENT, 'classification_complete', { ...classes, confidence: 0.75 }))).toMatchObject({
      ...classes,
      classificationConfidence: 0.75,
    });
    const none = { skills: [], domains: [], confidence: 0 };
    expect(await after(about(AGENT, 'classification_complete', none))).toMatchObject({
      skills: [],
      domains: [],
      classificationConfidence: 0,
    });
  });

  it('forgets an agent whose registration is reverted, with its feedback, and makes it anew', async () => {
    const gone = () =>
      about(AGENT, 'agent_registration_reverted', {
        name: 'A',
        owner: addressOf(1),
        revertedEventId: REVERTED,
      });
    await after(registered(AGENT, { name: 'first' }), rated(AGENT, 80, 1, rating('1')));
    expect(await after(gone())).toBeUndefined();
    const feedback = () => current().agents.feedback({ agentId: AGENT, limit: 10, includeRevoked: true });
    expect(await feedback()).toEqual([]);
    expect(await after(rated(AGENT, 50, 1, rating('2')), registered(AGENT))).toEqual({
      ...bareAgent(AGENT),
      createdPosition: 5,
      lastPosition: 5,
    });
    expect(await feedback()).toEqual([]);
    expect(
      await after(rated(AGENT, 10, 1, rating('3')), gone(), registered(AGENT), rated(AGENT, 20, 1, rating('4', 20))),
    ).toMatchObject({
      createdPosition: 8,
      score: 20,
    });
    expect(await feedback()).toMatchObject([{ feedbackIndex: '4', score: 20 }]);
    expect(await after(registered(AGENT, { name: 'again' }))).toMatchObject({ name: 'again', score: null });
    expect(await feedback()).toEqual([]);
  });

  it.each(REGISTRY_EVENT_TYPES.filter((type) => type !== 'agent_registered'))(
    'means nothing by %s about an agent that is not there',
    async (type) => {
      expect(await after(sampleOfEachType(AGENT)[type])).toBeUndefined();
      expect(await current().agents.feedback({ agentId: AGENT, limit: 10, includeRevoked: true })).toEqual([]);
      expect(await after(registered(AGENT))).toEqual({ ...bareAgent(AGENT), createdPosition: 2, lastPosition: 2 });
      expect(await current().agents.feedback({ agentId: AGENT, limit: 10, includeRevoked: true })).toEqual([]);
    },
  );

  it.each(['new_attestation', 'validation_requested', 'validation_responded', 'feedback_received'] as const)(
    'changes no agent by %s',
    async (type) => {
      const made = await after(registered(AGENT));
      expect(await after(sampleOfEachType(AGENT)[type])).toEqual(made);
    },
  );

  it('means nothing by events of a workspace (G8)', async () => {
    const made = await after(registered(AGENT));
    expect(await after(registered(AGENT, { name: 'mine' }, { workspaceId: 1 }))).toEqual(made);
    await after(registered('11155111:1', {}, { workspaceId: 1 }));
    expect(await find('11155111:1')).toBeUndefined();
  });

  it('gives back every text as it came, and never fails for one (G7)', async () => {
    const texts = [
      '\u0000',
      '\\u0000',
      '\u0000\u001f\u007f',
      `"'\\`,
      'null',
      '🐚\n\r\u2028',
      '{"a":null}',
      '$1 %s',
      'ﬀ İ',
    ];
    await after(...texts.map((_, n) => registered(`1:${n}`)));
    await after(
      ...texts.map((text, n) => {
        const services = [{ name: text, endpoint: text, version: text }];
        const more = { description: text, image: text, services, mcpEndpoint: text, supportedTrust: [text] };
        const registration = { uri: text, file: file(text, more), metadata: { [text]: '0x00' } };
        return updated(`1:${n}`, { ...registration, error: { code: text, message: text } });
      }),
      ...texts.map((text, n) => {
        const classes = [{ slug: 'audio', name: text }];
        return about(`1:${n}`, 'classification_complete', { skills: classes, domains: classes, confidence: 1 });
      }),
      ...texts.map((text, n) =>
        rated(`1:${n}`, 1, 1, rating('1', 1, { tags: [text], endpoint: text, feedbackUri: text })),
      ),
      ...texts.map((text, n) => {
        const place = { clientAddress: rating('1').clientAddress, feedbackIndex: '1' };
        const response = { responder: addressOf(5), responseUri: text, responseHash: hashOf(1) };
        return about(`1:${n}`, 'feedback_response', { ...place, ...response });
      }),
    );
    for (const [n, text] of texts.entries()) {
      const services = [{ name: text, endpoint: text, version: text }];
      const classes = [{ slug: 'audio', name: text }];
      expect(await find(`1:${n}`)).toMatchObject({
        name: text,
        description: text,
        image: text,
        services,
        mcpEndpoint: text,
        supportedTrust: [text],
        uri: text,
        fileError: { code: text, message: text },
        metadata: { [text]: '0x00' },
        skills: classes,
        domains: classes,
      });
      expect(await current().agents.feedback({ agentId: `1:${n}`, limit: 10 })).toMatchObject([
        { tags: [text], endpoint: text, feedbackUri: text, responses: [{ responseUri: text }] },
      ]);
      const query = { sort: 'name', order: 'ascending', limit: 10 } as const;
      const found = await current().agents.list({ ...query, name: text });
      expect(found.map(({ agentId }) => agentId)).toContain(`1:${n}`);
    }
    for (const agentId of ['', '\u0000', 'x'.repeat(10_000), "' OR true --", '__proto__']) {
      expect(await find(agentId)).toBeUndefined();
      expect(await current().agents.feedback({ agentId, limit: 1 })).toEqual([]);
    }
  });

  it('means nothing by an event that is known', async () => {
    const made = registered(AGENT);
    const change = updated(AGENT, { file: file('A') });
    await after(made, change, made);
    expect(await after(made, change)).toMatchObject({ name: 'A', createdPosition: 1, lastPosition: 2 });
  });
}
