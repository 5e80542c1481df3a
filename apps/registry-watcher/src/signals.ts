import type { ChainConfig, ChainHalt, IgnoredReason, RegistryDraft } from '@sluice/agent-registry';
import { toSluiceError } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { ChainReport } from './chain/chain-report';
import { createWatcherMetrics, type WatcherMetrics } from './watcher-metrics';

/** What is done off the chain. */
export type OffChainKind = 'files' | 'probes' | 'classification';

/** Where a fault was survived. */
export type FaultPlace = 'lease' | 'session' | 'source' | 'report' | OffChainKind;

/** Everything that the watcher of one chain tells its operators. */
export interface ChainSignals {
  leaseChanged(held: boolean, holder: string): void;
  phaseChanged(report: ChainReport, block: number | undefined): void;
  /** As often as something is reported. */
  progressed(report: ChainReport, block: number | undefined, lagSeconds: number): void;
  /** Some lines of a long backfill. */
  backfilling(report: ChainReport, block: number | undefined): void;
  committed(events: readonly EncodedEnvelope[], durationMs: number): void;
  ignored(reasons: Readonly<Record<IgnoredReason, number>>): void;
  /** An event that does not have the form of its type: a bug of ours that a stranger found. */
  refusedEvent(draft: RegistryDraft, error: unknown): void;
  reorganised(depth: number, ancestor: number): void;
  reverted(blocks: number, events: number): void;
  halted(halt: ChainHalt): void;
  resumed(how: 'healed' | 'accepted'): void;
  /** An accepted reorganisation goes deeper than can be undone. */
  beyondJournals(block: number): void;
  appended(events: number, durationMs: number): void;
  appendFailed(error: unknown): void;
  outboxChanged(events: number): void;
  fault(place: FaultPlace, error: unknown): void;
  recovered(place: 'source'): void;
  /** One piece of work off the chain is done. */
  found(kind: OffChainKind, outcome: string): void;
  inHand(kind: OffChainKind, count: number): void;
}

/** Everything that the app tells its operators. */
export interface RegistryWatcherSignals {
  readonly metrics: WatcherMetrics;
  chain(chain: Pick<ChainConfig, 'chainId' | 'name'>): ChainSignals;
  reorgAccepted(chainId: number, keyId: string): void;
}

/** A fault that goes on is not told more often than this. */
const FAULT_LINE_INTERVAL_MS = 10_000;

export function createRegistryWatcherSignals(registry: MetricsRegistry, logger: Logger): RegistryWatcherSignals {
  const metrics = createWatcherMetrics(registry);
  return {
    metrics,
    chain: ({ chainId, name }) => createChainSignals(metrics, logger, { chainId, chainName: name }),
    reorgAccepted: (chainId, keyId) =>
      logger.warn('an operator accepts that a chain is undone beyond its finality', { chainId, keyId }),
  };
}

interface ChainFields {
  readonly chainId: number;
  readonly chainName: string;
}

function createChainSignals(metrics: WatcherMetrics, logger: Logger, fields: ChainFields): ChainSignals {
  const chain = String(fields.chainId);
  const limited = new LimitedLines();
  const log = (level: 'info' | 'warn' | 'error', message: string, more: object = {}) =>
    logger[level](message, { ...fields, ...more });
  const faultLine = (place: string, message: string, error: unknown) => {
    const { code } = toSluiceError(error);
    metrics.faults.inc({ chain, place, code });
    if (limited.mayTell(`${place} ${code}`)) log('warn', message, { place, code, error });
  };
  return {
    leaseChanged(held, holder) {
      metrics.active.set({ chain }, held ? 1 : 0);
      // Its next holder tells how the chain is coming on.
      if (!held) for (const gauge of ofHolder(metrics)) gauge.remove({ chain });
      log('info', held ? 'watches the chain' : 'no longer watches the chain', { holder });
    },
    phaseChanged: (report, block) =>
      log('info', `the chain is in phase ${report.phase}`, { ...progressOf(report, block) }),
    progressed(report, block, lagSeconds) {
      if (block !== undefined) metrics.block.set({ chain }, block);
      if (report.head !== null) metrics.head.set({ chain }, report.head);
      if (report.lagBlocks !== null) metrics.lagBlocks.set({ chain }, report.lagBlocks);
      if (report.progress !== null) metrics.progress.set({ chain }, report.progress);
      metrics.lagSeconds.set({ chain }, lagSeconds);
      metrics.eventsPerSecond.set({ chain }, report.eventsPerSecond);
      metrics.secondsLeft.set({ chain }, report.secondsLeft ?? 0);
    },
    backfilling: (report, block) => log('info', 'backfill', progressOf(report, block)),
    committed(events, durationMs) {
      metrics.commitSeconds.observe(durationMs / 1000);
      for (const { event } of events) metrics.events.inc({ chain, type: event.type });
    },
    ignored(reasons) {
      for (const [reason, count] of Object.entries(reasons))
        if (count > 0) metrics.ignored.inc({ chain, reason }, count);
    },
    refusedEvent({ type, agentId, key }, error) {
      metrics.refused.inc({ chain, type });
      log('error', 'an event does not have the form of its type and is left out', { type, agentId, key, error });
    },
    reorganised(depth, ancestor) {
      metrics.reorgs.inc({ chain });
      metrics.reorgDepth.observe(depth);
      log('warn', 'the chain was reorganised', { depth, ancestor });
    },
    reverted(blocks, events) {
      metrics.revertedBlocks.inc({ chain }, blocks);
      log('info', 'took back what came of vanished blocks', { blocks, events });
    },
    halted({ reason, message, cursor }) {
      metrics.halted.set({ chain }, 1);
      log('error', 'the chain is halted until an operator decides', { reason, detail: message, block: cursor.number });
    },
    resumed(how) {
      metrics.halted.set({ chain }, 0);
      log('warn', how === 'healed' ? 'the chain is as it was and goes on' : 'the chain goes on as an operator agreed');
    },
    beyondJournals: (block) =>
      log('error', 'the reorganisation is deeper than can be undone: what was read below this block stays', { block }),
    appended(count, durationMs) {
      metrics.appended.inc({ chain }, count);
      metrics.appendSeconds.observe(durationMs / 1000);
    },
    appendFailed: (error) => {
      metrics.appendFailures.inc({ chain });
      const { code } = toSluiceError(error);
      if (limited.mayTell(`append ${code}`))
        log('warn', 'events cannot be appended and are tried again', { code, error });
    },
    outboxChanged: (count) => metrics.outbox.set({ chain }, count),
    fault: (place, error) => faultLine(place, 'survived a fault', error),
    recovered: (place) => log('info', 'goes on after a fault', { place }),
    found: (kind, outcome) => metrics.findings.inc({ chain, kind, outcome }),
    inHand: (kind, count) => metrics.inHand.set({ chain, kind }, count),
  };
}

function ofHolder(metrics: WatcherMetrics) {
  const { block, head, lagBlocks, lagSeconds, progress, eventsPerSecond, secondsLeft, halted, outbox } = metrics;
  return [block, head, lagBlocks, lagSeconds, progress, eventsPerSecond, secondsLeft, halted, outbox];
}

function progressOf(report: ChainReport, block: number | undefined) {
  const { head, lagBlocks, progress, blocksPerSecond, eventsPerSecond, secondsLeft, events } = report;
  return { block, head, lagBlocks, progress, blocksPerSecond, eventsPerSecond, secondsLeft, events };
}

/** The first of equal lines, and then one each interval. */
class LimitedLines {
  private readonly toldAtMs = new Map<string, number>();

  mayTell(line: string): boolean {
    const now = performance.now();
    if (now - (this.toldAtMs.get(line) ?? -Infinity) < FAULT_LINE_INTERVAL_MS) return false;
    this.toldAtMs.set(line, now);
    return true;
  }
}
