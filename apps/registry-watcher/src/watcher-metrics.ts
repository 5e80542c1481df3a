import type { MetricsRegistry } from '@sluice/service-runtime';

export type WatcherMetrics = ReturnType<typeof createWatcherMetrics>;

/** What of the prober is shown. */
interface ProberLoad {
  readonly waiting: number;
  readonly hosts: number;
}

const REORG_DEPTH_BUCKETS = [1, 2, 3, 5, 8, 13, 21, 34, 64, 128, 256];

/** Every metric of this app. The label `chain` is the id of a configured chain. */
export function createWatcherMetrics(metrics: MetricsRegistry) {
  const perChain = <L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
    ({ name: `sluice_chain_${name}`, help, labels: ['chain' as const, ...labels] }) as const;
  let proberLoad: () => ProberLoad = () => ({ waiting: 0, hosts: 0 });
  return {
    /** Where the gauges of the prober take their values when they are read. */
    readProberLoad(read: () => ProberLoad): void {
      proberLoad = read;
    },
    probesWaiting: metrics.gauge({
      name: 'sluice_probe_visits_waiting',
      help: 'Visits to hosts that wait for their turn.',
      collect: (gauge) => gauge.set(proberLoad().waiting),
    }),
    probeHosts: metrics.gauge({
      name: 'sluice_probe_hosts',
      help: 'Hosts that are visited, waited for, or left alone for a while.',
      collect: (gauge) => gauge.set(proberLoad().hosts),
    }),
    active: metrics.gauge(perChain('active', '1 while this process watches the chain.')),
    block: metrics.gauge(perChain('block', 'The last block that was worked off.')),
    head: metrics.gauge(perChain('head_block', 'The newest block of the chain.')),
    lagBlocks: metrics.gauge(perChain('lag_blocks', 'Blocks that could be worked off and are not yet.')),
    lagSeconds: metrics.gauge(perChain('lag_seconds', 'Age of the last worked off block while there are newer ones.')),
    progress: metrics.gauge(perChain('progress_ratio', 'From 0 to 1, between the start block and the head.')),
    eventsPerSecond: metrics.gauge(perChain('events_per_second', 'Speed of about the last half minute.')),
    secondsLeft: metrics.gauge(perChain('backfill_seconds_left', 'Time left of a backfill; 0 without one.')),
    halted: metrics.gauge(perChain('halted', '1 while the chain waits for the decision of an operator.')),
    events: metrics.counter(perChain('events_total', 'Events that were committed, by type.', ['type'])),
    appended: metrics.counter(perChain('appended_events_total', 'Events that the durable log has.')),
    appendFailures: metrics.counter(perChain('append_failures_total', 'Appends that failed and were tried again.')),
    outbox: metrics.gauge(perChain('outbox_events', 'Committed events that wait to be appended.')),
    refused: metrics.counter(
      perChain('refused_events_total', 'Events without the form of their type, left out.', ['type']),
    ),
    ignored: metrics.counter(perChain('ignored_facts_total', 'What changed nothing, and why.', ['reason'])),
    reorgs: metrics.counter(perChain('reorgs_total', 'Reorganisations that were seen.')),
    revertedBlocks: metrics.counter(perChain('reverted_blocks_total', 'Blocks that were taken back.')),
    faults: metrics.counter(perChain('faults_total', 'Faults that the watcher survived.', ['place', 'code'])),
    findings: metrics.counter(
      perChain('findings_total', 'Files, probes and classifications, by outcome.', ['kind', 'outcome']),
    ),
    postponed: metrics.counter(
      perChain('postponed_total', 'Files, probes and classifications that came to nothing and are tried again.', [
        'kind',
      ]),
    ),
    inHand: metrics.gauge(perChain('in_hand', 'Files, probes and classifications going on.', ['kind'])),
    requests: metrics.counter(
      perChain('rpc_requests_total', 'Requests to RPC endpoints.', ['endpoint', 'method', 'outcome']),
    ),
    rangeBlocks: metrics.gauge(
      perChain('rpc_range_blocks', 'Most blocks of one request for logs, as learned.', ['endpoint']),
    ),
    disagreements: metrics.counter(
      perChain('rpc_disagreements_total', 'Answers other than the agreed ones.', ['endpoint']),
    ),
    quarantines: metrics.counter(
      perChain('rpc_quarantines_total', 'Times that an endpoint was left alone.', ['endpoint']),
    ),
    undecodable: metrics.counter(
      perChain('undecodable_logs_total', 'Logs of a known topic without its form, skipped.'),
    ),
    bloomMismatches: metrics.counter(
      perChain('rpc_bloom_mismatches_total', 'Logs promised by a block and not given.', ['endpoint', 'verdict']),
    ),
    headsAnnounced: metrics.gauge(perChain('rpc_heads_announced', '1 while new heads come by WebSocket.')),
    requestSeconds: metrics.histogram(
      perChain('rpc_request_duration_seconds', 'Time of a request to an RPC endpoint.'),
    ),
    commitSeconds: metrics.histogram(
      perChain('commit_duration_seconds', 'Time of a commit of documents, cursor, journals and outbox.'),
    ),
    appendSeconds: metrics.histogram(perChain('append_duration_seconds', 'Time of an append to the durable log.')),
    reorgDepth: metrics.histogram({
      ...perChain('reorg_depth_blocks', 'Blocks that a reorganisation took away.'),
      buckets: REORG_DEPTH_BUCKETS,
    }),
    classifierRequests: metrics.counter({
      name: 'sluice_classifier_requests_total',
      help: 'Requests to the classifier, by outcome.',
      labels: ['outcome'],
    }),
    classifierSeconds: metrics.histogram({
      name: 'sluice_classifier_request_duration_seconds',
      help: 'Time of a request to the classifier.',
    }),
    classified: metrics.counter({
      name: 'sluice_classifier_agents_total',
      help: 'Agents that were to be classified, by outcome.',
      labels: ['outcome'],
    }),
    probes: metrics.counter({
      name: 'sluice_probes_total',
      help: 'Endpoints of agents that were probed, by outcome.',
      labels: ['protocol', 'outcome'],
    }),
    probeSeconds: metrics.histogram({
      name: 'sluice_probe_duration_seconds',
      help: 'Time of a probe of one endpoint, without the wait for its turn.',
      labels: ['protocol'],
    }),
    heldOff: metrics.counter({
      name: 'sluice_probe_hosts_held_off_total',
      help: 'Times that a host asked to be left alone.',
    }),
    hostsForgotten: metrics.counter({
      name: 'sluice_probe_hosts_forgotten_total',
      help: 'Hosts whose wish to be left alone was forgotten, because too many hosts are known.',
    }),
    classifierDropped: metrics.counter({
      name: 'sluice_classifier_dropped_slugs_total',
      help: 'Slugs of answers that the taxonomy does not have.',
    }),
    classifierOpen: metrics.gauge({
      name: 'sluice_classifier_circuit_open',
      help: '1 while the classifier is left alone because it failed too often.',
    }),
  };
}
