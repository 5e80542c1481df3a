import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chainConfigSchema } from '@sluice/agent-registry';
import { REGISTRY_EVENT_TYPES } from '@sluice/event-schema';
import { startLocalChain, type DeployedRegistries, type LocalChain } from '@sluice/local-chain';
import { until } from './support/watch-process';
import { startReplica, startService } from './support/watcher-service';

/** An agent's own server: its file, its MCP endpoint and its card. */
class AgentServer {
  isUp = true;
  description = 'Counts things.';
  private server: Server | undefined;

  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      const say = (body: object, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        if (request.url === '/classifier/v1/messages') return say(this.classification());
        if (request.url === '/file.json') return say(this.file());
        if (!this.isUp) return say({}, 500);
        if (request.url === '/mcp' && request.method === 'POST') {
          const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'a', version: '1' } };
          const { id } = JSON.parse(body) as { id: number };
          return say({ jsonrpc: '2.0', id, result });
        }
        if (request.url === '/.well-known/agent-card.json') return say({ name: 'Ada', skills: [] });
        return say({}, 404);
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private file(): object {
    const services = [
      { name: 'MCP', endpoint: `${this.url}/mcp` },
      { name: 'A2A', endpoint: this.url },
    ];
    return { name: 'Ada', description: this.description, services, active: true };
  }

  private classification(): object {
    const text = JSON.stringify({
      skills: [{ slug: 'audio', confidence: 0.9 }],
      domains: [{ slug: 'technology', confidence: 0.7 }],
    });
    return { content: [{ type: 'text', text }], stop_reason: 'end_turn' };
  }
}

let local: LocalChain;
let registries: DeployedRegistries;
let agent: AgentServer;
beforeAll(async () => {
  local = await startLocalChain();
  registries = await local.deployRegistries();
  agent = await new AgentServer().start();
});
afterAll(async () => {
  agent.stop();
  await local.stop();
});

const chains = () => [chainConfigSchema.parse(registries.chainConfig({ confirmations: 4, pollIntervalMs: 50 }))];
const HASH = `0x${'7'.repeat(64)}` as const;

it('makes every event of the registries of real transactions and endpoints, and takes back what vanishes', async () => {
  const env = {
    SLUICE_ALLOW_PRIVATE_URLS: agent.url,
    SLUICE_PROBE_INTERVAL_MS: '200',
    SLUICE_PROBE_FAILURES: '2',
    SLUICE_REGISTRATION_FILE_REREAD_INTERVAL: '1s',
    SLUICE_CLASSIFIER_URL: `${agent.url}/classifier`,
    SLUICE_CLASSIFIER_MODEL: 'm',
  };
  const service = await startService({ chains: chains(), env, times: { probeFirstDelayMs: 0, reportIntervalMs: 50 } });
  const { log } = service;
  const saw = (type: string, count = 1) =>
    until(
      () => log.of(type).length >= count,
      () => `${type} ×${count}: ${log.appended.map((event) => event.type).join()}`,
    );
  const [owner, client, validator, other] = local.accounts;
  if (!owner || !client || !validator || !other) throw new Error('too few accounts');
  try {
    const { agentId } = await registries.register({ from: owner, uri: `${agent.url}/file.json` });
    expect(agentId).toBe(0n);
    const id = `${local.chainId}:0`;
    await saw('agent_registered');
    expect(log.of('agent_registered')[0]).toMatchObject({
      entityId: id,
      data: { agentId: id, name: 'Ada', owner: owner.toLowerCase(), hasMcp: true, hasA2a: true },
    });
    const lastReach = () => log.of('reachability_update').at(-1)?.data;
    await until(
      () => lastReach()?.['mcpReachable'] === true && lastReach()?.['a2aReachable'] === true,
      'both reachable',
    );
    await saw('classification_complete');
    await registries.giveFeedback({ from: client, agentId, value: 80n });
    await saw('reputation_change');
    await registries.giveFeedback({ from: client, agentId, value: 1n, tag1: 'reachable' });
    await saw('feedback_received');
    await registries.appendResponse({ from: owner, agentId, client, feedbackIndex: 1n, responseUri: 'https://x' });
    await saw('feedback_response');
    const { uid } = await registries.attest({ from: client, agentId: id, score: 5, tags: ['good'] });
    await saw('new_attestation');
    await saw('reputation_change', 2);
    expect(log.of('reputation_change')[1]?.data).toMatchObject({ previousScore: 80, newScore: 90, feedbackCount: 2 });
    await registries.revokeAttestation({ from: client, uid });
    await saw('attestation_revoked');
    await registries.requestValidation({ from: owner, agentId, validator, requestHash: HASH });
    await registries.respondValidation({ from: validator, requestHash: HASH, response: 90 });
    await saw('validation_responded');
    await registries.revokeFeedback({ from: client, agentId, feedbackIndex: 1n });
    await saw('feedback_revoked');
    await registries.transfer({ from: owner, agentId, to: other });
    await saw('agent_transferred');
    agent.isUp = false;
    await until(() => lastReach()?.['mcpReachable'] === false, 'unreachable');
    expect(lastReach()).toMatchObject({ previousMcp: true });
    // What the file says changes without a transaction.
    agent.description = 'Counts everything.';
    await until(
      () => log.of('agent_updated').some(({ data }) => String(data['changes']) === 'description'),
      'the update',
    );

    // One of each within finality, and then none of them.
    await local.mine(6);
    await local.setAutomine(false);
    const { calls } = registries;
    await registries.send(calls.register({ from: other }));
    await registries.send(calls.setAgentUri({ from: other, agentId, uri: `${agent.url}/file.json?2` }));
    await registries.send(calls.giveFeedback({ from: validator, agentId, value: 50n }));
    await registries.send(calls.attest({ from: validator, agentId: id, score: 3 }));
    await registries.send(
      calls.requestValidation({
        from: other,
        agentId,
        validator,
        requestHash: HASH.replaceAll('7', '8') as typeof HASH,
      }),
    );
    await local.mine(1);
    await registries.send(calls.revokeFeedback({ from: validator, agentId, feedbackIndex: 1n }));
    await registries.send(
      calls.appendResponse({ from: other, agentId, client: validator, feedbackIndex: 1n, responseUri: 'https://y' }),
    );
    await registries.send(
      calls.respondValidation({ from: validator, requestHash: HASH.replaceAll('7', '8') as typeof HASH, response: 1 }),
    );
    await registries.send(calls.transfer({ from: other, agentId, to: owner }));
    await local.mine(1);
    await saw('agent_transferred', 2);
    const latest = (await registries.attestations()).at(-1)?.uid;
    if (latest === undefined) throw new Error('no attestation');
    await registries.send(calls.revokeAttestation({ from: validator, uid: latest }));
    await local.mine(1);
    await saw('attestation_revoked', 2);
    await local.reorg(3);
    await saw('agent_registration_reverted');
    await saw('attestation_revocation_reverted');
    const seen = new Set(log.appended.map(({ type }) => type));
    expect(REGISTRY_EVENT_TYPES.filter((type) => !seen.has(type))).toEqual([]);
    expect(new Set(log.appended.map(({ id: eventId }) => eventId)).size).toBe(log.appended.length);
    await local.setAutomine(true);
    const view = await service.call('GET', `/v1/chains/${local.chainId}`, await service.key());
    expect(view.body).toMatchObject({ state: 'running', halted: null });
  } finally {
    await service.stop();
  }
});

it('has one active watcher of two; when it ends the other one goes on and nothing is doubled', async () => {
  const env = { SLUICE_CHAIN_LEASE: '3s' };
  const service = await startService();
  const { host, log } = service;
  const store = await host.engine.chainStore();
  const holder = async () => (await store.statuses())[0]?.holder;
  const [owner] = local.accounts;
  if (!owner) throw new Error('no account');
  const agents = async (more: number) => {
    const before = log.of('agent_registered').length;
    for (let n = 0; n < more; n++) await registries.register({ from: owner });
    await until(() => log.of('agent_registered').length === before + more, 'more agents');
  };
  const first = await startReplica(host, { chains: chains(), env });
  await until(async () => (await holder()) !== undefined, 'a holder');
  const firstHolder = await holder();
  const second = await startReplica(host, { chains: chains(), env });
  try {
    const before = Number(await registries.agentCount());
    await until(() => log.of('agent_registered').length >= before, 'the past');
    await agents(5);
    expect(await holder()).toBe(firstHolder);
    await first.stop();
    await agents(5);
    expect(await holder()).not.toBe(firstHolder);
    expect(new Set(log.appended.map(({ id }) => id)).size).toBe(log.appended.length);
  } finally {
    await Promise.all([first.stop(), second.stop()]);
    await service.stop();
  }
});
