import { setTimeout as delay } from 'node:timers/promises';
import { settle } from '../../bench/read-side.mjs';
import { BATCH_EVENTS, entity, mixedBatches, singles } from './events.mjs';
import { during } from './processes.mjs';

const CONNECTIONS = 32;
const PACED_CONNECTIONS = 64;
const WARM_UP_MS = 30_000;
const CLOSED_MS = 6_000;
const PACED_SECONDS = 10;

/**
 * Processor time of every process for one request of each kind, less what it takes when idle. Where events follow from a
 * request, all that comes of them is in it.
 */
export async function measureRequests({ cluster, system, startChild, report, idleUsPerSecond }) {
  const poster = await startChild();
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const closed = (url, bodies, method, times = { warmUpMs: 500, durationMs: CLOSED_MS }) =>
    poster.call('postClosedLoop', { url, headers, bodies, connections: CONNECTIONS, method, ...times });
  const paced = async (perSecond) => {
    const { statuses } = await poster.call('postPaced', {
      urls: [`${system.ingestUrl}/events`],
      headers,
      before: singles[0].replace(/\}\}$/, ',"n":'),
      after: '}}',
      perSecond,
      events: perSecond * PACED_SECONDS,
      connections: PACED_CONNECTIONS,
    });
    const accepted = Object.entries(statuses).filter(([status]) => status.startsWith('2'));
    return { acknowledged: accepted.reduce((sum, [, count]) => sum + count, 0), statuses };
  };
  const url = (app, path) => `${cluster.apps[app].url}${path}`;
  const ingest = (query) => `${system.ingestUrl}/events${query}`;
  const session = await newSession(url('sessions', ''), headers);
  const say = JSON.stringify({
    events: [{ type: 'user.message', content: [{ type: 'text', text: 'hello' }] }],
  });
  const sessionBody = JSON.stringify({ agent: session.agent, environment_id: session.environment });

  await closed(ingest('?ack=log'), singles, 'POST', { warmUpMs: WARM_UP_MS, durationMs: 1 });
  await settle(system);
  const kinds = [
    ['one event, ack=log', 1, () => closed(ingest('?ack=log'), singles)],
    ['one event, default ack', 1, () => closed(ingest(''), singles)],
    ['100 events of 100 sandboxes, ack=log', BATCH_EVENTS, () => closed(ingest('?ack=log'), mixedBatches)],
    ['100 events of 100 sandboxes, default ack', BATCH_EVENTS, () => closed(ingest(''), mixedBatches)],
    ['one event, 200/s', 1, () => paced(200)],
    ['one event, 1000/s', 1, () => paced(1_000)],
    ['page of 100 events', 1, () => closed(url('query', '/v1/events?limit=100'), [''], 'GET')],
    ['page of 10 events', 1, () => closed(url('query', '/v1/events?limit=10'), [''], 'GET')],
    ['page of 50 events of one sandbox', 1, () => closed(url('query', `/events/${entity(1)}?limit=50`), [''], 'GET')],
    ['task', 1, () => closed(url('workspace', '/api/tasks'), [JSON.stringify({ title: 'measured' })])],
    ['session', 1, () => closed(url('sessions', '/v1/sessions'), [sessionBody])],
    ['page of 20 sessions', 1, () => closed(url('sessions', '/v1/sessions?limit=20'), [''], 'GET')],
    ['message of a session', 1, () => closed(url('sessions', `/v1/sessions/${session.id}/events`), [say])],
  ];
  const rows = [];
  for (const [name, unitsOfOne, work] of kinds) {
    const run = await during(cluster, async () => {
      const result = await work();
      await settle(system);
      return result;
    });
    const { acknowledged, statuses, perSecond } = run.result;
    const units = acknowledged * unitsOfOne;
    const each = Object.fromEntries(
      Object.entries(run.cpuUs).map(([process, us]) => [
        process,
        (us - (idleUsPerSecond[process] ?? 0) * run.seconds) / units,
      ]),
    );
    rows.push({ kind: name, statuses: JSON.stringify(statuses), perSecond: perSecond * unitsOfOne, ...each });
    await delay(1_000);
  }
  await poster.stop();
  report('µs of processor time for each event, or request', rows);
}

async function newSession(url, headers) {
  const post = async (path, body) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const agent = await post('/v1/agents', { name: 'Agent', model: 'claude-sonnet-4-5', tools: [] });
  const environment = await post('/v1/environments', { name: 'measured' });
  const { id } = await post('/v1/sessions', { agent: agent.id, environment_id: environment.id });
  return { id, agent: agent.id, environment: environment.id };
}
