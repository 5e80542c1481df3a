import type { ChainConfig, ChainHalt, IgnoredReason, RegistryDraft } from '@sluice/agent-registry';
import { toSluiceError } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { RegistrySourceSignals } from '@sluice/registry-source';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { ChainReport } from './chain/chain-report';
import { HolderGauges } from './holder-gauges';
import { LimitedLines } from './limited-lines';
import { createSourceSignals } from './source-signals';
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
  /** One piece of work came to nothing and is tried again later. */
  postponed(kind: OffChainKind): void;
}

/** Everything that the app tells its operators. */
export interface RegistryWatcherSignals {
  readonly metrics: WatcherMetrics;
  chain(chain: Pick<ChainConfig, 'chainId' | 'name'>): ChainSignals;
  /** What the source of a chain tells. */
  source(chain: Pick<ChainConfig, 'chainId'>): RegistrySourceSignals;
  reorgAccepted(chainId: number, keyId: string): void;
}

export function createRegistryWatcherSignals(registry: MetricsRegistry, logger: Logger): RegistryWatcherSignals {
  const metrics = createWatcherMetrics(registry);
  const gauges = new Map<number, HolderGauges>();
  const gaugesOf = (chainId: number) => {
    const known = gauges.get(chainId) ?? new HolderGauges();
    gauges.set(chainId, known);
    return known;
  };
  return {
    metrics,
    chain: ({ chainId, name }) => createChainSignals(metrics, gaugesOf(chainId), logger, { chainId, chainName: name }),
    source: ({ chainId }) => createSourceSignals(metrics, gaugesOf(chainId), logger, { chainId }),
    reorgAccepted: (chainId, keyId) =>
      logger.warn('an operator accepts that a chain is undone beyond its finality', { chainId, keyId }),
  };
}

interface ChainFields {
  readonly chainId: number;
  readonly chainName: string;
}

function createChainSignals(
  metrics: WatcherMetrics,
  gauges: HolderGauges,
  logger: Logger,
  fields: ChainFields,
): ChainSignals {
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
      if (held) gauges.hold();
      else gauges.release();
      log('info', held ? 'watches the chain' : 'no longer watches the chain', { holder });
    },
    phaseChanged: (report, block) =>
      log('info', `the chain is in phase ${report.phase}`, { ...progressOf(report, block) }),
    progressed(report, block, lagSeconds) {
      if (block !== undefined) gauges.set(metrics.block, { chain }, block);
      if (report.head !== null) gauges.set(metrics.head, { chain }, report.head);
      if (report.lagBlocks !== null) gauges.set(metrics.lagBlocks, { chain }, report.lagBlocks);
      if (report.progress !== null) gauges.set(metrics.progress, { chain }, report.progress);
      gauges.set(metrics.lagSeconds, { chain }, lagSeconds);
      gauges.set(metrics.eventsPerSecond, { chain }, report.eventsPerSecond);
      gauges.set(metrics.secondsLeft, { chain }, report.secondsLeft ?? 0);
    },
    backfilling: (report, block) => log('info', 'backfill', progressOf(report, block)),
    committed(events, durationMs) {
      metrics.commitSeconds.observe({ chain }, durationMs / 1000);
      const counts = new Map<string, number>();
      for (const { event } of events) counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
      for (const [type, count] of counts) metrics.events.inc({ chain, type }, count);
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
      metrics.reorgDepth.observe({ chain }, depth);
      log('warn', 'the chain was reorganised', { depth, ancestor });
    },
    reverted(blocks, events) {
      metrics.revertedBlocks.inc({ chain }, blocks);
      log('info', 'took back what came of vanished blocks', { blocks, events });
    },
    halted({ reason, message, cursor }) {
      gauges.set(metrics.halted, { chain }, 1);
      log('error', 'the chain is halted until an operator decides', { reason, detail: message, block: cursor.number });
    },
    resumed(how) {
      gauges.set(metrics.halted, { chain }, 0);
      log('warn', how === 'healed' ? 'the chain is as it was and goes on' : 'the chain goes on as an operator agreed');
    },
    beyondJournals: (block) =>
      log('error', 'the reorganisation is deeper than can be undone: what was read below this block stays', { block }),
    appended(count, durationMs) {
      metrics.appended.inc({ chain }, count);
      metrics.appendSeconds.observe({ chain }, durationMs / 1000);
    },
    appendFailed: (error) => {
      metrics.appendFailures.inc({ chain });
      const { code } = toSluiceError(error);
      if (limited.mayTell(`append ${code}`))
        log('warn', 'events cannot be appended and are tried again', { code, error });
    },
    outboxChanged: (count) => gauges.set(metrics.outbox, { chain }, count),
    fault: (place, error) => faultLine(place, 'survived a fault', error),
    recovered: (place) => log('info', 'goes on after a fault', { place }),
    found: (kind, outcome) => metrics.findings.inc({ chain, kind, outcome }),
    inHand: (kind, count) => gauges.set(metrics.inHand, { chain, kind }, count),
    postponed: (kind) => metrics.postponed.inc({ chain, kind }),
  };
}

function progressOf(report: ChainReport, block: number | undefined) {
  const { head, lagBlocks, progress, blocksPerSecond, eventsPerSecond, secondsLeft, events } = report;
  return { block, head, lagBlocks, progress, blocksPerSecond, eventsPerSecond, secondsLeft, events };
}
