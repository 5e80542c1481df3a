import { createServer, type ServerResponse } from 'node:http';
import type { FileReading } from '@sluice/agent-registry';
import type { RegistrationFiles } from '../src/chain/file-reads';
import { closeServers, FILE, listen, readerOf } from './files/world';
import { localServers } from './reachability/local-server';
import { proberFor } from './reachability/probing';
import { StrictMcpServer } from './reachability/strict-mcp-server';
import { registered } from './support/said';
import { ScriptedChain } from './support/scripted-chain';
import { CHAIN_ID, read, TestFiles, TestLog, until, watchProcess, type WatchOptions } from './support/watch-process';

/** More agents than the loop has in hand for one chain. */
const AGENTS = 120;
const PROBE_INTERVAL_MS = 500;

const serve = localServers();
const chain = () => new ScriptedChain();
let running: { stop(): Promise<void> } | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await closeServers();
});

async function watch(options: WatchOptions) {
  const process = watchProcess(options);
  await process.start();
  running = process;
  return process;
}

/** Agents at the slow place, then one at the healthy one. */
function register(target: ScriptedChain, uriOf: (index: number) => string) {
  for (let index = 0; index <= AGENTS; index++) target.mine(...registered(String(index), { uri: uriOf(index) }));
  target.mineEmpty(10);
}

it('probes an agent in its interval while many at another host never answer (G9)', async () => {
  const dead = await serve(() => undefined);
  const strict = new StrictMcpServer('json');
  const healthy = await serve(strict.answer);
  const files = new TestFiles();
  const uriOf = (index: number) => `https://files.example/${index}.json`;
  for (let index = 0; index <= AGENTS; index++) {
    const mcpEndpoint = index === AGENTS ? `${healthy.url}/mcp` : `${dead.url}/${index}`;
    files.byUri.set(uriOf(index), read(uriOf(index), { mcpEndpoint }));
  }
  const source = chain();
  register(source, uriOf);
  await watch({
    chain: source,
    files,
    prober: proberFor([dead, healthy], { concurrency: 4, timeoutMs: 5_000 }),
    times: { probes: { intervalMs: PROBE_INTERVAL_MS, failuresToDown: 3, concurrency: 4 } },
  });
  await until(
    () => strict.opened >= 4,
    () => `${strict.opened} probes of the healthy agent`,
  );
  // The dead host has one visit at a time: most of its agents have not had their turn yet.
  expect(dead.mostAtOnce).toBe(1);
  expect(dead.seen.length).toBeLessThan(AGENTS / 4);
});

it('reads a file while many of a slow host wait, which are no errors of their agents and are read in the end (G9)', async () => {
  let isSlow = true;
  const held: ServerResponse[] = [];
  const slow = await listen(createServer((_, response) => void (isSlow ? held.push(response) : response.end(FILE))));
  const quick = await listen(createServer((_, response) => void response.end(FILE)));
  // Hosts are told apart by their names.
  const healthy = quick.origin.replace('127.0.0.1', 'healthy.example');
  const busy = new Set<string>();
  const reader = readerOf([slow.origin, healthy], { timeoutMs: 20_000, resolve: () => Promise.resolve(['127.0.0.1']) });
  const files: RegistrationFiles = {
    async read(uri, signal): Promise<FileReading> {
      const reading = await reader.read(uri, signal);
      if (reading.status === 'failed' && reading.error.code === 'busy') busy.add(uri);
      return reading;
    },
  };
  const log = new TestLog();
  const source = chain();
  register(source, (index) => (index === AGENTS ? `${healthy}/file` : `${slow.origin}/${index}`));
  const process = await watch({
    chain: source,
    log,
    files,
    times: { fileWaitMs: 100, files: { reReadIntervalMs: 2_000, concurrency: 16 }, jitter: Math.random },
  });
  await until(() => isRead(log, AGENTS), 'the file of the healthy host');
  // Four are read at a time and sixteen wait; the others are for later.
  await until(
    () => busy.size >= AGENTS - 20,
    () => `${busy.size} busy`,
  );
  await until(
    () => held.length >= 4,
    () => `${held.length} asked for`,
  );
  expect(held).toHaveLength(4);
  expect(await process.metrics()).toMatch(/sluice_chain_postponed_total\{chain="\d+",kind="files"\} \d{2,}/);
  isSlow = false;
  held.forEach((response) => response.end(FILE));
  const agents = Array.from({ length: AGENTS }, (_, index) => index);
  await until(() => agents.every((index) => isRead(log, index)), 'the files of the slow host');
  expect(log.events.filter(({ data }) => JSON.stringify(data).includes('"error"'))).toEqual([]);
});

/** Whether events say what the file of an agent says. */
function isRead(log: TestLog, index: number): boolean {
  return log.appended.some(
    ({ entityId, data }) => entityId === `${CHAIN_ID}:${index}` && JSON.stringify(data).includes('"name":"Ann"'),
  );
}
