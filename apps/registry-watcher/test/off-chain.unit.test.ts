import { MemoryChainStore, type ClassificationResult, type FileReading } from '@sluice/agent-registry';
import type { AgentClassifier } from '../src/off-chain/off-chain-tasks';
import { feedback, registered, uriUpdated } from './support/said';
import { ScriptedChain } from './support/scripted-chain';
import {
  CHAIN_ID,
  failed,
  read,
  TestFiles,
  TestLog,
  TestProber,
  until,
  watchProcess,
  type WatchOptions,
} from './support/watch-process';

const URI = 'https://agent.example/file.json';
const MCP = {
  services: [{ name: 'MCP', endpoint: 'https://agent.example/mcp' }],
  mcpEndpoint: 'https://agent.example/mcp',
};

let chain: ScriptedChain;
let log: TestLog;
let store: MemoryChainStore;
let files: TestFiles;
let prober: TestProber;
let running: { stop(): Promise<void> }[];
beforeEach(() => {
  chain = new ScriptedChain();
  log = new TestLog();
  store = new MemoryChainStore();
  files = new TestFiles();
  prober = new TestProber();
  running = [];
});
afterEach(() => Promise.all(running.map((process) => process.stop())));

async function watch(options: Partial<WatchOptions> = {}) {
  const process = watchProcess({ chain, log, store, files, prober, ...options });
  running.push(process);
  await process.start();
  await until(async () => (await process.status())?.cursor?.hash === chain.head.hash, 'the head');
  return process;
}
const agent = (tokenId: string) => `${CHAIN_ID}:${tokenId}`;
const untilTypes = (tokenId: string, ...types: string[]) =>
  until(
    () => log.types(agent(tokenId)).join() === types.join(),
    () => `${types.join()}, not ${log.types().join()}`,
  );

it('waits for the file that a new block names', async () => {
  await watch();
  files.byUri.set(URI, read(URI, { name: 'Ada', ...MCP }));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered', 'reachability_update');
  expect(log.of('agent_registered')[0]?.data).toMatchObject({ name: 'Ada', hasMcp: true, hasA2a: false });
  expect(log.of('reachability_update')[0]?.data).toMatchObject({
    mcpReachable: true,
    a2aReachable: false,
    previousMcp: false,
    previousA2a: false,
  });
  expect(files.reads).toBe(1);
});

it('does not wait longer than it may: what comes later is an update, from the same reading', async () => {
  await watch({ times: { fileWaitMs: 20 } });
  let arrive: (reading: FileReading) => void = () => undefined;
  files.byUri.set(URI, new Promise((resolve) => (arrive = resolve)));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered');
  expect(log.of('agent_registered')[0]?.data['name']).toBe('Agent #0');
  chain.mine(feedback('0', '1', '80'));
  await untilTypes('0', 'agent_registered', 'reputation_change');
  arrive(read(URI, { name: 'Ada', description: 'Counts.' }));
  await untilTypes('0', 'agent_registered', 'reputation_change', 'agent_updated');
  expect(log.of('agent_updated')[0]?.data['changes']).toEqual(expect.arrayContaining(['name', 'description']));
  expect(files.reads).toBe(1);
});

it('tells of a file that cannot be read, and of its coming back', async () => {
  await watch({ times: { files: { reReadIntervalMs: 30, concurrency: 2 } } });
  files.byUri.set(URI, failed(URI));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered');
  expect(log.of('agent_registered')[0]?.data['registration']).toMatchObject({ error: { code: 'unreachable' } });
});

it('reads what can change again, and tells the fields that changed', async () => {
  await watch({ times: { files: { reReadIntervalMs: 30, concurrency: 2 } } });
  files.byUri.set(URI, read(URI, { name: 'Ada' }));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered');
  files.byUri.set(URI, {
    ...read(URI, { name: 'Ada', description: 'New.' }),
    contentHash: `0x${'2'.repeat(64)}`,
  } as FileReading);
  await untilTypes('0', 'agent_registered', 'agent_updated');
  expect(log.of('agent_updated')[0]?.data['changes']).toEqual(['description']);
});

it('forgets a finding about an agent that vanished meanwhile', async () => {
  const process = await watch({ times: { fileWaitMs: 0 } });
  let arrive: (reading: FileReading) => void = () => undefined;
  files.byUri.set(URI, new Promise((resolve) => (arrive = resolve)));
  chain.mine(...registered('0', { uri: URI }));
  await until(() => files.reads === 1, 'the reading');
  chain.reorg(1, [], []);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
  arrive(read(URI, { name: 'Ada', ...MCP }));
  await until(async () => (await process.metrics()).includes('reason="outdated_result"} 1'), 'the finding');
  chain.mine(...registered('1'));
  await untilTypes('1', 'agent_registered');
  expect(log.types(agent('0'))).toEqual(['agent_registered', 'agent_registration_reverted']);
  expect(prober.probes).toBe(0);
});

it('forgets a finding about a file that was replaced meanwhile', async () => {
  await watch({ times: { fileWaitMs: 0 } });
  let arrive: (reading: FileReading) => void = () => undefined;
  files.byUri.set(URI, new Promise((resolve) => (arrive = resolve)));
  files.byUri.set(`${URI}?2`, read(`${URI}?2`, { name: 'Second' }));
  chain.mine(...registered('0', { uri: URI }));
  await until(() => files.reads === 1, 'the reading');
  chain.mine(uriUpdated('0', `${URI}?2`));
  await untilTypes('0', 'agent_registered', 'agent_updated');
  arrive(read(URI, { name: 'First' }));
  await untilTypes('0', 'agent_registered', 'agent_updated', 'agent_updated');
  const names = log
    .of('agent_updated')
    .map(({ data }) => (data['registration'] as { file?: { name: string } }).file?.name);
  expect(names.at(-1)).toBe('Second');
});

it('counts an endpoint as down after some failures, and as up at once', async () => {
  await watch({ times: { probes: { intervalMs: 20, failuresToDown: 3, concurrency: 2 } } });
  files.byUri.set(URI, read(URI, MCP));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered', 'reachability_update');
  prober.isReachable = false;
  const before = prober.probes;
  await untilTypes('0', 'agent_registered', 'reachability_update', 'reachability_update');
  expect(prober.probes - before).toBeGreaterThanOrEqual(3);
  prober.isReachable = true;
  await until(() => log.of('reachability_update').length === 3, 'up again');
  expect(log.of('reachability_update').map(({ data }) => [data['mcpReachable'], data['previousMcp']])).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
});

it('has classified who declares no classes, once', async () => {
  const asked: string[] = [];
  const classifier: AgentClassifier = {
    waitMs: () => 0,
    classify: async ({ tokenId, inputHash, name }): Promise<ClassificationResult> => {
      asked.push(`${tokenId} ${name}`);
      const skills = [{ slug: 'audio', name: 'Audio', confidence: 0.9 }];
      return { status: 'classified', inputHash, skills, domains: [], confidence: 0.9, model: 'm' };
    },
  };
  await watch({ classifier });
  files.byUri.set(URI, read(URI, { name: 'Ada', description: 'Sings.' }));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered', 'classification_complete');
  expect(log.of('classification_complete')[0]?.data).toMatchObject({
    skills: [{ slug: 'audio', name: 'Audio' }],
    confidence: 0.9,
  });
  expect(asked).toEqual(['0 Ada']);
});

it('asks no classifier that wants to be left alone', async () => {
  let asked = 0;
  const classifier: AgentClassifier = {
    waitMs: () => 60_000,
    classify: () => {
      asked++;
      return Promise.reject(new Error('not now'));
    },
  };
  await watch({ classifier });
  files.byUri.set(URI, read(URI, { name: 'Ada' }));
  chain.mine(...registered('0', { uri: URI }));
  await untilTypes('0', 'agent_registered');
  chain.mine(...registered('1'));
  await untilTypes('1', 'agent_registered');
  expect(asked).toBe(0);
});

it('does not let many findings hold up the chain, nor the chain them', async () => {
  chain.mineEmpty(2);
  for (let n = 0; n < 300; n++) {
    const uri = `${URI}?${n}`;
    files.byUri.set(uri, read(uri, { name: `Agent ${n}` }));
    chain.mine(...registered(String(n), { uri }));
  }
  chain.mineEmpty(70);
  const process = await watch({ times: { files: { reReadIntervalMs: 3_600_000, concurrency: 8 } } });
  await until(
    () => log.of('agent_updated').length === 300,
    () => `${log.of('agent_updated').length} updates`,
  );
  expect(await process.metrics()).toContain('kind="files",outcome="read"} 300');
});

it('goes on after work that goes wrong', async () => {
  const process = await watch({
    prober: {
      probe: () => Promise.reject(new Error('a bug')),
    },
  });
  files.byUri.set(URI, read(URI, MCP));
  chain.mine(...registered('0', { uri: URI }));
  await until(async () => (await process.metrics()).includes('place="probes",code="internal"} 1'), 'the fault');
  chain.mine(feedback('0', '1', '80'));
  await untilTypes('0', 'agent_registered', 'reputation_change');
});
