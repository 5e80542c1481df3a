import { createLogger, MetricsRegistry } from '@sluice/service-runtime';
import type { ChainReport } from './chain/chain-report';
import { LimitedLines } from './limited-lines';
import { createRegistryWatcherSignals } from './signals';

const CHAIN = { chainId: 7, name: 'Seven' };
const REPORT = {
  phase: 'live',
  head: 10,
  lagBlocks: 1,
  progress: 0.9,
  blocksPerSecond: 1,
  eventsPerSecond: 1,
  secondsLeft: 3,
  events: 5,
} as Partial<ChainReport> as ChainReport;

function world() {
  const lines: string[] = [];
  const registry = new MetricsRegistry();
  const logger = createLogger({
    service: 'registry-watcher',
    level: 'debug',
    destination: { write: (line) => void lines.push((JSON.parse(line) as { message: string }).message) },
  });
  const signals = createRegistryWatcherSignals(registry, logger);
  /** Gauges of the chain that are exposed now. */
  const gauges = async () => {
    const text = await registry.expose();
    const names = [...text.matchAll(/^# TYPE (\w+) gauge$/gm)].map(([, name]) => name ?? '');
    return names.filter((name) => text.includes(`\n${name}{chain="7"`)).sort();
  };
  return { lines, registry, gauges, chain: signals.chain(CHAIN), source: signals.source(CHAIN) };
}

it('shows no gauge of a chain but whether it is active, once another process has it', async () => {
  const { gauges, chain, source } = world();
  const tell = () => {
    chain.progressed(REPORT, 9, 12);
    chain.outboxChanged(3);
    chain.inHand('files', 4);
    chain.inHand('probes', 4);
    chain.halted({ reason: 'deep_reorg', message: '', cursor: { number: 1, hash: '0x' } } as never);
    source.headsAnnounced({ connected: true });
  };
  chain.leaseChanged(true, 'one');
  tell();
  source.rangeLearned({ endpoint: 'a', blocks: 100 });
  const held = await gauges();
  expect(held).toHaveLength(13);
  chain.leaseChanged(false, 'one');
  expect(await gauges()).toEqual(['sluice_chain_active']);
  // What ends late must not bring them back.
  tell();
  expect(await gauges()).toEqual(['sluice_chain_active']);
  chain.leaseChanged(true, 'one');
  expect(await gauges()).toEqual(['sluice_chain_active', 'sluice_chain_rpc_range_blocks']);
});

it('names the chain in every histogram of chains', async () => {
  const { registry, chain, source } = world();
  chain.committed([], 5);
  chain.appended(1, 5);
  chain.reorganised(2, 8);
  source.requested({ endpoint: 'a', method: 'eth_getLogs', outcome: 'ok', durationMs: 1 } as never);
  const text = await registry.expose();
  for (const name of [
    'commit_duration_seconds',
    'append_duration_seconds',
    'reorg_depth_blocks',
    'rpc_request_duration_seconds',
  ])
    expect(text).toContain(`sluice_chain_${name}_count{chain="7"} 1`);
});

it('counts every disagreement and quarantine of an endpoint, and tells some', async () => {
  const { lines, registry, source } = world();
  for (let n = 0; n < 50; n++) {
    for (const endpoint of ['a', 'b']) {
      source.disagreed({ endpoint, about: `block ${n}` });
      source.quarantined({ endpoint, forMs: n });
    }
  }
  expect(lines).toHaveLength(4);
  expect(await registry.expose()).toContain('sluice_chain_rpc_disagreements_total{chain="7",endpoint="a"} 50');
});

it('tells a line again after a while', () => {
  let nowMs = 0;
  const limited = new LimitedLines(() => nowMs);
  const tell = () => ['a', 'a', 'b'].map((line) => limited.mayTell(line));
  expect(tell()).toEqual([true, false, true]);
  nowMs = 9_999;
  expect(tell()).toEqual([false, false, false]);
  nowMs = 10_000;
  expect(tell()).toEqual([true, false, true]);
});
