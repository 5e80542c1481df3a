import { registryWatcherOperations } from '../src/http/operations';
import { registered } from './support/said';
import { ScriptedChain } from './support/scripted-chain';
import { chainConfig, CHAIN_ID, until } from './support/watch-process';
import { OPERATOR_KEY, startService } from './support/watcher-service';

let chain: ScriptedChain;
let service: Awaited<ReturnType<typeof startService>>;
let reader: string;
beforeAll(async () => {
  chain = new ScriptedChain();
  chain.mineEmpty(10);
  chain.mine(...registered('0'));
  service = await startService({
    chains: [chainConfig({ confirmations: 2 }), chainConfig({ chainId: 5, name: 'Never begun' })],
    createSource: ({ chainId }) => {
      if (chainId === CHAIN_ID) return chain.source();
      const away = new ScriptedChain();
      away.isDown = true;
      return away.source();
    },
    times: { reportIntervalMs: 20, haltedLookMs: 10 },
  });
  reader = await service.key('reader');
});
afterAll(() => service.stop());

const read = async (path: string, key = reader) => service.call('GET', path, key);

it('lets nobody in without a key, at any door', async () => {
  for (const { method, path } of registryWatcherOperations) {
    const answer = await service.call(method, path.replace('{chainId}', String(CHAIN_ID)));
    expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'unauthorized']);
  }
});

it('shows every chain to every key', async () => {
  await until(async () => (await read(`/v1/chains/${CHAIN_ID}`)).text.includes('"phase":"live"'), 'the phase live');
  const { status, body } = await read('/v1/chains');
  expect(status).toBe(200);
  expect(body.chains).toHaveLength(2);
  expect(body.chains?.[1]).toMatchObject({
    chainId: CHAIN_ID,
    name: 'Scripted',
    state: 'running',
    phase: 'live',
    holder: expect.stringMatching(/^registry-watcher-/),
    block: { number: chain.head.number, hash: chain.head.hash },
    head: chain.head.number,
    lagBlocks: 0,
    progress: 1,
    events: 1,
    halted: null,
    fault: null,
    reportedAt: expect.stringMatching(/Z$/),
  });
  await until(async () => (await read('/v1/chains/5')).text.includes('"state":"retrying"'), 'the fault');
  const { fault } = (await read('/v1/chains/5')).body as { fault?: object };
  expect(fault).toMatchObject({ code: 'chain_unavailable', message: null });
  // Endpoints may repeat what is secret in their URLs.
  const shown = (await read('/v1/chains/5', OPERATOR_KEY)).body as { fault?: { message: string } };
  expect(shown.fault?.message).toEqual(expect.stringMatching(/./));
  expect(JSON.stringify((await read('/v1/chains')).body)).not.toContain(`${shown.fault?.message}`);
});

it('knows what is no chain', async () => {
  expect((await read('/v1/chains/77')).status).toBe(404);
  for (const id of ['0', 'x', '1e3', '99999999999999999999']) {
    expect([id, (await read(`/v1/chains/${id}`)).status]).toEqual([id, 400]);
  }
  expect((await read('/v1/chains?x=1')).status).toBe(400);
});

it('lets operators alone accept a reorganisation, of a chain that is halted', async () => {
  const path = `/v1/chains/${CHAIN_ID}/accept-reorg`;
  for (const role of ['reader', 'writer', 'admin'] as const) {
    const { status, body } = await service.call('POST', path, await service.key(role));
    expect([role, status, body.code]).toEqual([role, 403, 'forbidden']);
  }
  expect((await service.call('POST', path, OPERATOR_KEY)).status).toBe(409);
  expect((await service.call('POST', '/v1/chains/77/accept-reorg', OPERATOR_KEY)).status).toBe(404);
  chain.mineEmpty(3);
  const { number, hash } = chain.head;
  await until(async () => (await read(`/v1/chains/${CHAIN_ID}`)).text.includes(hash), 'the head');
  chain.reorg(5, [], [], [], [], [], []);
  await until(async () => (await read(`/v1/chains/${CHAIN_ID}`)).text.includes('"state":"halted"'), 'the halt');
  expect((await read(`/v1/chains/${CHAIN_ID}`)).body).toMatchObject({
    halted: { reason: 'reorg_beyond_finality', cursor: { number, hash } },
  });
  expect((await service.call('POST', path, await service.key('admin'))).status).toBe(403);
  const accepted = await service.call('POST', path, OPERATOR_KEY);
  expect([accepted.status, accepted.body['chainId']]).toEqual([200, CHAIN_ID]);
  await until(() => service.log.of('agent_registration_reverted').length === 1, 'the compensation');
  await until(async () => (await read(`/v1/chains/${CHAIN_ID}`)).text.includes('"halted":null'), 'the end of the halt');
});

it('is healthy and opens its doors without chains', async () => {
  const idle = await startService();
  expect((await idle.call('GET', '/ready')).status).toBe(200);
  const { status, body } = await idle.call('GET', '/v1/chains', await idle.key());
  expect([status, body]).toEqual([200, { chains: [] }]);
  await idle.stop();
});
