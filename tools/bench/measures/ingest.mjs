import { cpuMsOf } from '../process-usage.mjs';
import { settle } from '../read-side.mjs';
import { median, pairedRatio } from '../statistics.mjs';

const CONNECTIONS = 32;
const BATCH_EVENTS = 100;
const KAFKA_PARTITIONS = 12;
const TYPE = 'custom.bench';
const DATA = { text: 'x'.repeat(200) };

const single = (sandboxId) => JSON.stringify({ type: TYPE, sandboxId, data: DATA });
const batch = (sandboxId) =>
  JSON.stringify({ events: Array.from({ length: BATCH_EVENTS }, () => ({ type: TYPE, sandboxId, data: DATA })) });

/** The rate of durable POSTs, against a server that only echoes and against kafkajs alone. */
export async function measureIngest({ system, scale, poster, startChild }) {
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const echo = await startChild('baselines/echo-server.mjs');
  const echoUrl = `${await echo.call('url')}/events`;
  const kafka = system.kafkaBrokers === undefined ? undefined : await startChild('baselines/kafka-producer.mjs');
  await kafka?.call('connect', { brokers: system.kafkaBrokers, partitions: KAFKA_PARTITIONS });

  let head = await settle(system);

  /** Runs a load and adds what it took of the processes; `eventsPerSend`: events of one request of the load. */
  const run = async (pids, eventsPerSend, load) => {
    const cpuBefore = cpuMsOf(pids);
    const { perSecond, sent, acknowledged, ...rest } = await load();
    const cpuMs = cpuMsOf(pids) - cpuBefore;
    const events = acknowledged * eventsPerSend;
    const counts = { perSecond: perSecond * eventsPerSend, sent: sent * eventsPerSend, acknowledged: events };
    return { ...counts, cpuUsPerEvent: (cpuMs * 1000) / events, ...rest };
  };
  const post = (url, pids, eventsPerSend, make, times) => {
    const bodies = Array.from({ length: CONNECTIONS }, (_, index) => make(`bench-${index}`));
    const load = { url, headers, bodies, connections: CONNECTIONS, ...times };
    return run(pids, eventsPerSend, () => poster.call('postClosedLoop', load));
  };
  const toSystem = async (query, eventsPerSend, make, times) => {
    const result = await post(
      `${system.ingestUrl}/events${query}`,
      Object.values(system.pids),
      eventsPerSend,
      make,
      times,
    );
    const before = head;
    head = await settle(system, before + result.acknowledged);
    return { ...result, readable: head - before };
  };
  const produce = (times) => {
    const load = { senders: CONNECTIONS, batchEvents: BATCH_EVENTS, type: TYPE, data: DATA, ...times };
    return run([kafka.pid], 1, () => kafka.call('produce', load));
  };
  const kinds = {
    echo: (times) => post(echoUrl, [echo.pid], 1, single, times),
    log: (times) => toSystem('?ack=log', 1, single, times),
    projected: (times) => toSystem('', 1, single, times),
    ...(kafka && { kafka: produce }),
    batchLog: (times) => toSystem('?ack=log', BATCH_EVENTS, batch, times),
    batchProjected: (times) => toSystem('', BATCH_EVENTS, batch, times),
  };
  // A fresh broker on the JVM spends its first half minute of work on compiling itself, on the cores of everybody else.
  if (kafka && scale.brokerWarmUpMs > 0) await kinds.projected({ warmUpMs: scale.brokerWarmUpMs, durationMs: 1 });
  // Once without counting: fresh processes are compiling what they will run.
  for (const kind of Object.values(kinds)) await kind({ warmUpMs: scale.firstWarmUpMs, durationMs: 1 });
  const results = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < scale.rounds; round += 1)
    for (const [kind, measure] of Object.entries(kinds)) results[kind].push(await measure(scale.times));
  await kafka?.call('close');
  await kafka?.stop();
  await echo.stop();
  return toRows(system.engine, results);
}

function toRows(engine, results) {
  const row = (name, kind, baseline) => {
    const rounds = results[kind];
    const rates = rounds.map(({ perSecond }) => perSecond);
    const total = (key) => rounds.reduce((sum, each) => sum + each[key], 0);
    const isStored = rounds[0].readable !== undefined;
    const base = results[baseline?.kind];
    const ratio =
      base &&
      pairedRatio(
        rates,
        base.map(({ perSecond }) => perSecond),
      );
    const share = baseline?.share;
    return {
      engine,
      measure: 'ingest',
      name,
      value: median(rates),
      unit: 'events/s',
      // What can be read afterwards, not only what was answered.
      delivered: total(isStored ? 'readable' : 'acknowledged'),
      expected: total('sent'),
      ...(isStored && rounds.some(({ readable, acknowledged }) => readable < acknowledged) ? { fault: 'LOST' } : {}),
      ...(ratio === undefined ? {} : { baseline: baseline.name, ratio }),
      ...(ratio === undefined || share === undefined
        ? {}
        : { target: { text: `≥ ${share} × ${baseline.name}`, isMet: ratio >= share } }),
      cpuUs: median(rounds.map(({ cpuUsPerEvent }) => cpuUsPerEvent)),
      ...(rounds[0].loadCpuShare === undefined
        ? {}
        : { loadShare: median(rounds.map(({ loadCpuShare }) => loadCpuShare)) }),
      details: { rounds },
    };
  };
  const echo = { kind: 'echo', name: 'echo' };
  const kafka = { kind: 'kafka', name: 'kafkajs' };
  return [
    row('bare Fastify echo (baseline)', 'echo'),
    row('single POST, ack=log', 'log', { ...echo, share: 0.35 }),
    row('single POST, default ack', 'projected', { ...echo, share: 0.25 }),
    ...(results.kafka ? [row(`raw kafkajs, batches of ${BATCH_EVENTS} (baseline)`, 'kafka')] : []),
    row(`batches of ${BATCH_EVENTS}, ack=log`, 'batchLog', { ...kafka, share: 0.6 }),
    row(`batches of ${BATCH_EVENTS}, default ack`, 'batchProjected', kafka),
  ];
}
