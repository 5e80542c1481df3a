import { setTimeout as delay } from 'node:timers/promises';
import { readCounter } from '../../bench/counters.mjs';
import { settle } from '../../bench/read-side.mjs';
import { BATCH_EVENTS, mixedBatches } from './events.mjs';
import { during } from './processes.mjs';

const BACKLOG_MS = 8_000;
const POLL_MS = 100;
const TIMEOUT_MS = 180_000;

/**
 * How many events a second projectors bring from a backlog into the read model. Their transactions take turns, so this is
 * what one installation can record, however many projectors it has.
 */
export async function measureCommitChain({ cluster, system, startChild, report }) {
  const poster = await startChild();
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const all = Object.values(cluster.apps).filter(({ name }) => name.startsWith('projector'));
  const followers = Object.values(cluster.apps).filter((app) => !all.includes(app));
  const rows = [];
  const cases = [
    ...all.map((_, n) => ({ active: n + 1, isAlone: false })),
    ...all.slice(0, 2).map((_, n) => ({ active: n + 1, isAlone: true })),
  ];
  for (const { active, isAlone } of cases) {
    await settle(system);
    for (const app of all) await app.stop();
    const { acknowledged } = await poster.call('postClosedLoop', {
      url: `${system.ingestUrl}/events?ack=log`,
      headers,
      bodies: mixedBatches,
      connections: mixedBatches.length,
      warmUpMs: 0,
      durationMs: BACKLOG_MS,
    });
    const backlog = acknowledged * BATCH_EVENTS;
    const chosen = all.slice(0, active);
    // What follows the projector takes processors from it, where there are only a few.
    if (isAlone) for (const app of followers) await app.stop();
    await Promise.all(chosen.map((app) => app.start()));
    const total = async (name, labels) =>
      (await Promise.all(chosen.map(({ url }) => readCounter(url, name, labels)))).reduce((sum, each) => sum + each, 0);
    const recorded = () => total('sluice_projector_recorded_events_total');
    const deadline = Date.now() + TIMEOUT_MS;
    const until = async (count) => {
      while ((await recorded()) < count) {
        if (Date.now() > deadline) throw new Error(`only ${await recorded()} of ${backlog} events were recorded`);
        await delay(POLL_MS);
      }
    };
    // All that share the work have begun.
    await until(backlog * 0.15);
    const state = async () => ({
      events: await recorded(),
      batches: await total('sluice_projector_record_duration_seconds_count'),
      recordSeconds: await total('sluice_projector_record_duration_seconds_sum'),
    });
    const before = await state();
    const run = await during(cluster, () => until(backlog * 0.9));
    const after = await state();
    const events = after.events - before.events;
    const batches = after.batches - before.batches;
    rows.push({
      projectors: active,
      'other apps': isAlone ? 'stopped' : 'following',
      events,
      'events/s': events / run.seconds,
      'transactions/s': batches / run.seconds,
      'events each': events / batches,
      'ms each': ((after.recordSeconds - before.recordSeconds) / batches) * 1000,
      'projectors µs/event': chosen.reduce((sum, { name }) => sum + run.cpuUs[name], 0) / events,
      'PostgreSQL µs/event': run.cpuUs.postgres / events,
      'Kafka µs/event': run.cpuUs.kafka / events,
      'NATS µs/event': run.cpuUs.nats / events,
      'all others µs/event': others(run.cpuUs, chosen) / events,
    });
    for (const app of [...all.slice(active), ...(isAlone ? followers : [])]) await app.start();
  }
  await poster.stop();
  report('commit chain', rows);
}

function others(cpuUs, chosen) {
  const named = new Set(['kafka', 'nats', 'postgres', ...chosen.map(({ name }) => name)]);
  return Object.entries(cpuUs)
    .filter(([name]) => !named.has(name))
    .reduce((sum, [, us]) => sum + us, 0);
}
