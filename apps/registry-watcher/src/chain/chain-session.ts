import type { ChainConfig, ChainStore } from '@sluice/agent-registry';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import type { RegistrySource } from '@sluice/registry-source';
import type { Clock } from '../clock';
import {
  classificationTask,
  fileTask,
  probeTask,
  type AgentClassifier,
  type OffChainSettings,
  type Prober,
} from '../off-chain/off-chain-tasks';
import { firstOf, pause, settledOrAborted } from '../pause';
import type { ChainSignals } from '../signals';
import type { ChainLease } from './chain-lease';
import type { ChainProgress } from './chain-progress';
import type { ChainPhase } from './chain-report';
import { ChainWatch } from './chain-watch';
import { ChainWriter } from './chain-writer';
import { FileReads, type RegistrationFiles } from './file-reads';
import { OffChainLoop } from './off-chain-loop';
import { Outbox } from './outbox';
import { askedUntil } from './source-fault';

/** What the watcher of one chain needs. */
export interface ChainPorts {
  readonly chain: ChainConfig;
  readonly store: ChainStore;
  readonly log: Pick<DurableLog, 'append'>;
  readonly source: RegistrySource;
  readonly files: RegistrationFiles;
  readonly prober: Prober;
  /** Absent: nothing is classified but what agents declare. */
  readonly classifier: AgentClassifier | undefined;
  readonly clock: Clock;
  readonly signals: ChainSignals;
}

export interface ChainTimes extends OffChainSettings {
  readonly leaseMs: number;
  readonly fileWaitMs: number;
  /** How long a stop waits for events that are committed and not appended; what is left, the next holder appends. */
  readonly drainMs: number;
  /** Default 2 s. */
  readonly reportIntervalMs?: number;
  /** Default 5 s. */
  readonly haltedLookMs?: number;
  /** Between an endpoint becoming known and its first probe. Default: that of the ledger. */
  readonly probeFirstDelayMs?: number;
}

const REPORT_INTERVAL_MS = 2_000;
/** How often a long backfill writes a line. */
const BACKFILL_LINE_INTERVAL_MS = 10_000;

/**
 * The work on one chain while this process holds it, from what is stored on: the loop of the chain, those off the chain,
 * the outbox and the reports. The first that fails ends all of them.
 *
 * Ends with the stop, having brought committed events to the log as far as time allows, or at once with the lease.
 * @throws SluiceError of the store
 */
export async function runChainSession(
  ports: ChainPorts,
  times: ChainTimes,
  lease: ChainLease,
  progress: ChainProgress,
  stop: AbortSignal,
): Promise<void> {
  const { chain, store, log, classifier, clock, signals } = ports;
  const { grant } = lease;
  const failed = new AbortController();
  const signal = firstOf(stop, lease.signal, failed.signal);
  const source = askedUntil(signal, ports.source);
  const reads = new FileReads(ports.files, times.fileWaitMs, signal);
  const outbox = new Outbox({ store, grant, log, signals });
  const loops = new Map<string, { expect(dueAt: number): void }>();
  const writer = new ChainWriter({
    store,
    grant,
    outbox,
    clock,
    signals,
    signal,
    context: {
      chainId: chain.chainId,
      classifierAvailable: classifier !== undefined,
      fileReReadIntervalMs: times.files.reReadIntervalMs,
      ...(times.probeFirstDelayMs !== undefined && { probeFirstDelayMs: times.probeFirstDelayMs }),
    },
    onDue: (kind, dueAt) => loops.get(kind)?.expect(dueAt),
  });
  const { haltedLookMs } = times;
  const watch = new ChainWatch({
    ...{ chain, source, store, grant, writer, files: reads, progress, signals, clock },
    ...(haltedLookMs !== undefined && { haltedLookMs }),
  });
  const offChain = {
    ...{ chainId: chain.chainId, store, writer, signals, clock },
    isPaused: () => watch.isHalted,
  };
  const fileLoop = new OffChainLoop(fileTask(reads, times), offChain);
  const probeLoop = new OffChainLoop(probeTask(ports.prober, times), offChain);
  loops.set('file', fileLoop).set('reach', probeLoop);
  const running = [fileLoop, probeLoop].map((loop) => loop.run.bind(loop));
  if (classifier) {
    const classLoop = new OffChainLoop(classificationTask(classifier, chain.chainId, store), offChain);
    loops.set('class', classLoop);
    running.push((until) => classLoop.run(until));
  }
  const report = () => reportOnce(ports, lease, progress, watch, outbox);
  running.push((until) => watch.run(until));
  running.push((until) =>
    runReports(report, times.reportIntervalMs ?? REPORT_INTERVAL_MS, progress, ports, watch, until),
  );

  const outboxEnd = new AbortController();
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    failed.abort();
    outboxEnd.abort();
  };
  const untilOutbox = firstOf(lease.signal, outboxEnd.signal);
  const draining = outbox.run(untilOutbox).catch(fail);
  await Promise.all(running.map((run) => run(signal).catch(fail)));
  // Stopped: what is committed goes out, as far as there is time.
  outbox.close();
  await settledOrAborted(draining, firstOf(untilOutbox, AbortSignal.timeout(times.drainMs)));
  outboxEnd.abort();
  await draining;
  if (failures.length > 0) throw failures[0];
}

async function runReports(
  report: () => Promise<void>,
  intervalMs: number,
  progress: ChainProgress,
  { signals }: Pick<ChainPorts, 'signals'>,
  watch: ChainWatch,
  signal: AbortSignal,
): Promise<void> {
  let phase: ChainPhase = 'waiting';
  let lineAtMs = performance.now();
  while (!signal.aborted) {
    const now = progress.report(0);
    if (now.phase !== phase) {
      phase = now.phase;
      lineAtMs = performance.now();
      signals.phaseChanged(now, watch.block);
    } else if (phase === 'backfill' && performance.now() - lineAtMs >= BACKFILL_LINE_INTERVAL_MS) {
      lineAtMs = performance.now();
      signals.backfilling(now, watch.block);
    }
    await report();
    await pause(intervalMs, signal);
  }
  await report();
}

/** What is shown to people is not worth an end of the work; a right that is lost is. */
async function reportOnce(
  { store, signals }: ChainPorts,
  lease: ChainLease,
  progress: ChainProgress,
  watch: ChainWatch,
  outbox: Outbox,
): Promise<void> {
  const report = progress.report(outbox.size);
  signals.progressed(report, watch.block, progress.lagSeconds());
  if (lease.signal.aborted) return;
  try {
    await store.report(lease.grant, report);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'conflict') throw error;
    signals.fault('report', error);
  }
}
