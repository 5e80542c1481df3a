import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { startLocalChain, type Address, type DeployedRegistries, type LocalChain } from '@sluice/local-chain';
import { listenToRegistry, REGISTRY_TYPES, type RegistryListener } from './registry-listener';
import { startAgentHost, type AgentHost } from './agent-host';
import { startEmbedded, type EmbeddedSystem } from './system';

const TIMEOUT_MS = 60_000;
const CONFIRMATIONS = 3;
const HASH = `0x${'5c'.repeat(32)}` as const;

let chain: LocalChain;
let registries: DeployedRegistries;
let host: AgentHost;
let folder: string;
let system: EmbeddedSystem;
let listener: RegistryListener;
let owner: Address;
let client: Address;
let other: Address;

beforeAll(async () => {
  [chain, host] = await Promise.all([startLocalChain(), startAgentHost()]);
  registries = await chain.deployRegistries();
  [owner, client, other] = chain.accounts as [Address, Address, Address];
  folder = await mkdtemp(join(tmpdir(), 'sluice-chains-'));
  await chmod(folder, 0o755);
  const chainsFile = join(folder, 'chains.json');
  await writeFile(chainsFile, JSON.stringify([registries.chainConfig({ confirmations: CONFIRMATIONS })]));
  system = await startEmbedded({
    SLUICE_CHAINS_FILE: chainsFile,
    SLUICE_CHAIN_LEASE: '2s',
    SLUICE_ALLOW_PRIVATE_URLS: host.origin,
    SLUICE_PROBE_INTERVAL_MS: '300',
    SLUICE_PROBE_FAILURES: '2',
    SLUICE_REGISTRATION_FILE_REREAD_INTERVAL: '1s',
    SLUICE_CLASSIFIER_URL: `${host.origin}/model`,
    SLUICE_CLASSIFIER_MODEL: 'classifier',
    SLUICE_CLASSIFIER_KEY: 'no-secret',
  });
  listener = await listenToRegistry(system, chain.chainId);
});

afterAll(async () => {
  listener.close();
  await system.stop();
  await Promise.all([chain.stop(), host.stop(), rm(folder, { recursive: true, force: true })]);
});

const idOf = (agentId: bigint) => `${chain.chainId}:${agentId}`;
const ofAgent = (agentId: bigint) => ({ agentId: idOf(agentId), chainId: chain.chainId });
const inline = (file: object) => `data:application/json;base64,${Buffer.from(JSON.stringify(file)).toString('base64')}`;
const ON_CHAIN = REGISTRY_TYPES.filter((type) => !['reachability_update', 'classification_complete'].includes(type));

async function get<T>(path: string): Promise<T> {
  const { baseUrl, apiKey } = system.dev();
  const response = await fetch(`${baseUrl}${path}`, { headers: { 'x-api-key': apiKey } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

interface Agent {
  readonly agentId: string;
  readonly name: string;
  readonly owner: string;
  readonly score: number | null;
  readonly feedbackCount: number;
  readonly mcpReachable: boolean | null;
  readonly skills: readonly { readonly slug: string }[];
}
const agentOf = async (agentId: bigint) => (await get<{ data: Agent }>(`/api/v1/agents/${idOf(agentId)}`)).data;

describe('a real chain, seen by an unmodified EventSource', () => {
  it('says that an agent was registered, the one with id 0 too, with exactly the documented fields', async () => {
    const { agentId } = await registries.register({
      from: owner,
      uri: inline({
        name: 'Zero',
        description: 'The first',
        services: [{ name: 'MCP', endpoint: `${host.origin}/mcp` }],
      }),
    });
    expect(agentId).toBe(0n);
    expect(await listener.next(idOf(0n), 1, ON_CHAIN)).toEqual([
      { type: 'agent_registered', ...ofAgent(0n), name: 'Zero', owner, hasMcp: true, hasA2a: false },
    ]);
    expect(await agentOf(0n)).toMatchObject({ agentId: idOf(0n), name: 'Zero', owner, score: null, feedbackCount: 0 });
  });

  it('names what was updated, by comparing registration files', async () => {
    const file = { name: 'Zero', description: 'The first of all', services: [{ name: 'A2A', endpoint: host.origin }] };
    await registries.setAgentUri({ from: owner, agentId: 0n, uri: inline(file) });
    const [updated] = (await listener.next(idOf(0n), 1, ON_CHAIN)) as [{ changes: string[] }];
    expect(updated).toEqual({ type: 'agent_updated', ...ofAgent(0n), changes: expect.any(Array) as string[] });
    expect([...updated.changes].sort()).toEqual(['a2aEndpoint', 'agentURI', 'description', 'mcpEndpoint']);
    await registries.setMetadata({ from: owner, agentId: 0n, key: 'color', value: '0xff' });
    expect(await listener.next(idOf(0n), 1, ON_CHAIN)).toEqual([
      { type: 'agent_updated', ...ofAgent(0n), changes: ['metadata.color'] },
    ]);
  });

  it('keeps the score of ratings of all contract versions, and takes revoked ones back', async () => {
    const { agentId } = await registries.register({ from: owner });
    const id = idOf(agentId);
    expect(await listener.next(id, 1, ON_CHAIN)).toEqual([
      { type: 'agent_registered', ...ofAgent(agentId), name: `Agent #${agentId}`, owner, hasMcp: false, hasA2a: false },
    ]);
    await registries.giveFeedback({
      from: client,
      agentId,
      value: 9000n,
      valueDecimals: 2,
      tag1: 'starred',
      tag2: 'fast',
    });
    await registries.giveFeedback({ from: client, agentId, value: 12n, tag1: 'responseTime' });
    await registries.execute(registries.calls.giveFeedbackV1({ from: other, agentId, score: 60, tag1: 'helpful' }));
    await registries.execute(registries.calls.giveFeedbackV111({ from: other, agentId, score: 30 }));
    await registries.revokeFeedback({ from: client, agentId, feedbackIndex: 1n });
    await registries.appendResponse({
      from: owner,
      agentId,
      client,
      feedbackIndex: 2n,
      responseUri: 'ipfs://response',
    });
    const change = (previousScore: number, newScore: number, feedbackCount: number, latestFeedback?: object) => ({
      type: 'reputation_change',
      ...ofAgent(agentId),
      previousScore,
      newScore,
      feedbackCount,
      ...(latestFeedback && { latestFeedback }),
    });
    const events = await listener.next(id, 7, ON_CHAIN);
    expect(events).toEqual([
      change(0, 90, 1, { score: 90, tags: ['starred', 'fast'] }),
      expect.objectContaining({
        type: 'feedback_received',
        feedback: expect.objectContaining({ isRating: false }) as object,
      }),
      change(90, 75, 2, { score: 60, tags: ['helpful'] }),
      change(75, 60, 3, { score: 30, tags: [] }),
      { type: 'feedback_revoked', ...ofAgent(agentId), clientAddress: client, feedbackIndex: '1' },
      change(60, 45, 2),
      expect.objectContaining({ type: 'feedback_response', responder: owner, responseUri: 'ipfs://response' }),
    ]);
    expect(await agentOf(agentId)).toMatchObject({ score: 45, feedbackCount: 2 });
    const feedback = await get<{ data: readonly object[] }>(`/api/v1/agents/${id}/feedback?includeRevoked=true`);
    expect(feedback.data).toHaveLength(4);
  });

  it('tells of attestations and their revocation', async () => {
    const { agentId } = await registries.register({ from: owner });
    const id = idOf(agentId);
    const { uid } = await registries.attest({ from: client, agentId: id, score: 4, tags: ['reliable'] });
    await registries.revokeAttestation({ from: client, uid });
    const attestation = { ...ofAgent(agentId), attestationUid: uid, attester: client };
    expect((await listener.next(id, 5, ON_CHAIN)).slice(1)).toEqual([
      { type: 'new_attestation', ...attestation, score: 75, tags: ['reliable'] },
      expect.objectContaining({ type: 'reputation_change', previousScore: 0, newScore: 75, feedbackCount: 1 }),
      { type: 'attestation_revoked', ...attestation },
      expect.objectContaining({ type: 'reputation_change', previousScore: 75, newScore: 0, feedbackCount: 0 }),
    ]);
  });

  it('tells of transfers and validations', async () => {
    const { agentId } = await registries.register({ from: owner });
    const id = idOf(agentId);
    await registries.transfer({ from: owner, agentId, to: other });
    await registries.requestValidation({
      from: other,
      agentId,
      validator: client,
      requestUri: 'ipfs://q',
      requestHash: HASH,
    });
    await registries.respondValidation({ from: client, requestHash: HASH, response: 100, tag: 'tee' });
    expect((await listener.next(id, 5, ON_CHAIN)).slice(1)).toEqual([
      // The wallet goes first: the registry unsets it before it hands the agent over.
      { type: 'agent_updated', ...ofAgent(agentId), changes: ['owner', 'agentWallet'] },
      { type: 'agent_transferred', ...ofAgent(agentId), from: owner, to: other },
      expect.objectContaining({ type: 'validation_requested', validator: client, requestHash: HASH }),
      expect.objectContaining({ type: 'validation_responded', validator: client, response: 100, tag: 'tee' }),
    ]);
    expect(await agentOf(agentId)).toMatchObject({ owner: other });
  });

  it('reads files over HTTP, probes what they name, and classifies', async () => {
    host.registrationFile = {
      name: 'Hosted',
      services: [
        { name: 'MCP', endpoint: `${host.origin}/mcp` },
        { name: 'A2A', endpoint: host.origin },
      ],
    };
    const { agentId } = await registries.register({ from: owner, uri: `${host.origin}/agent.json` });
    const id = idOf(agentId);
    expect(await listener.next(id, 1, ON_CHAIN)).toEqual([
      { type: 'agent_registered', ...ofAgent(agentId), name: 'Hosted', owner, hasMcp: true, hasA2a: true },
    ]);
    const reachability = ['reachability_update'];
    const update = (mcpReachable: boolean, a2aReachable: boolean, previousMcp: boolean, previousA2a: boolean) => ({
      type: 'reachability_update',
      ...ofAgent(agentId),
      ...{ mcpReachable, a2aReachable, previousMcp, previousA2a },
    });
    expect(await listener.next(id, 1, reachability)).toEqual([update(true, true, false, false)]);
    host.mcpIsUp = false;
    expect(await listener.next(id, 1, reachability)).toEqual([update(false, true, true, true)]);
    expect(await listener.next(id, 1, ['classification_complete'])).toEqual([
      {
        type: 'classification_complete',
        ...ofAgent(agentId),
        skills: [{ slug: 'audio', name: 'Audio' }],
        domains: [{ slug: 'education', name: expect.any(String) as string }],
        confidence: 0.8,
      },
    ]);
    // A file that changes without a transaction; what its creator declares goes before what a model said.
    host.registrationFile = {
      name: 'Hosted again',
      services: [
        { name: 'OASF', endpoint: 'https://oasf.example', skills: ['natural_language_processing/summarization'] },
      ],
    };
    const [updated] = (await listener.next(id, 1, ['agent_updated'])) as [{ changes: string[] }];
    expect(updated.changes).toEqual(expect.arrayContaining(['name', 'mcpEndpoint', 'a2aEndpoint']));
    expect(await listener.next(id, 1, ['classification_complete'])).toEqual([
      expect.objectContaining({
        skills: [{ slug: 'natural_language_processing', name: 'Natural Language Processing' }],
        confidence: 1,
      }),
    ]);
    const found = await get<{ data: readonly Agent[] }>('/api/v1/agents?skills=natural_language_processing&limit=10');
    expect(found.data.map(({ agentId: each }) => each)).toEqual([id]);
  });

  it('takes back what vanished with its blocks, and says what came instead', async () => {
    const { agentId } = await registries.register({ from: owner });
    const id = idOf(agentId);
    await chain.mine(CONFIRMATIONS);
    const { agentId: vanishing } = await registries.register({ from: owner, uri: inline({ name: 'Vanishing' }) });
    await registries.giveFeedback({ from: client, agentId, value: 50n });
    await listener.next(idOf(vanishing), 1, ON_CHAIN);
    await listener.next(id, 2, ON_CHAIN);
    const [, rating] = await chain.transactionsOf(2);
    await chain.reorg(2, rating === undefined ? [] : [{ ...rating, block: 0 }]);
    expect(await listener.next(idOf(vanishing), 1, ON_CHAIN)).toEqual([
      expect.objectContaining({ type: 'agent_registration_reverted', name: 'Vanishing', owner }),
    ]);
    expect(await listener.next(id, 3, ON_CHAIN)).toEqual([
      expect.objectContaining({ type: 'feedback_reverted', clientAddress: client, feedbackIndex: '1' }),
      { type: 'reputation_change', ...ofAgent(agentId), previousScore: 50, newScore: 0, feedbackCount: 0 },
      // The same transaction, in another block.
      expect.objectContaining({ type: 'reputation_change', previousScore: 0, newScore: 50, feedbackCount: 1 }),
    ]);
    await expect(agentOf(vanishing)).rejects.toThrow('404');
    expect(await agentOf(agentId)).toMatchObject({ score: 50, feedbackCount: 1 });
  });

  it('goes on after kill -9 with nothing missing and nothing twice (G6)', async () => {
    // The first one has the id of the agent that vanished.
    await registries.register({ from: owner });
    const { agentId } = await registries.register({ from: owner });
    const id = idOf(agentId);
    await listener.next(id, 1, ON_CHAIN);
    listener.close();
    const killed = system.crash();
    for (let n = 1n; n <= 5n; n++) await registries.giveFeedback({ from: client, agentId, value: n * 10n });
    await killed;
    await until(async () => (await agentOf(agentId)).feedbackCount === 5, 'all ratings are known', TIMEOUT_MS);
    const { data } = await get<{ data: readonly { readonly type: string }[] }>(`/api/v1/agents/${id}/events`);
    expect(data.map(({ type }) => type).sort()).toEqual([
      'agent_registered',
      ...Array.from({ length: 5 }, () => 'reputation_change'),
    ]);
    expect(await agentOf(agentId)).toMatchObject({ score: 30 });
  });
});
