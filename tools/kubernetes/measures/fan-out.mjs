import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readCounter } from '../../bench/counters.mjs';
import { settle } from '../../bench/read-side.mjs';
import { BATCH_EVENTS, ENTITIES, entity, mixedBatches, TEXT, TYPE } from './events.mjs';
import { during } from './processes.mjs';

const SECONDS = 8;
const FRAMES = 30;
const SHAPES = [
  { subscribers: 100, perSecond: 100 },
  { subscribers: 1_000, perSecond: 50 },
  { subscribers: 5_000, perSecond: 5 },
];
const MARKER = '"benchSeq":';

/** What the stream doors take for one delivery. */
export async function measureFanOut({ cluster, system, startChild, report, idleUsPerSecond }) {
  const poster = await startChild();
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const { url } = cluster.apps['sse-stream'];
  const at = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  const targetOf = {
    'sse-stream': (sandboxId) => ({ protocol: 'sse', ...at, url: `${url}/v1/stream?entityId=${sandboxId}`, headers }),
    'pubsub-tcp': (sandboxId) => ({ protocol: 'tcp', ...cluster.dev.pubsub, sandboxId, credential: system.apiKey }),
  };
  const rows = [];
  for (const [app, target] of Object.entries(targetOf)) {
    for (const { subscribers, perSecond } of SHAPES) {
      const sandboxId = `measured-fan-${app}-${subscribers}`;
      const holder = await startChild();
      const expected = { count: subscribers, events: perSecond * SECONDS, marker: MARKER };
      await holder.call('subscribe', { name: sandboxId, target: target(sandboxId), expected });
      const counted = () => readCounter(cluster.apps[app].url, 'sluice_delivered_events_total');
      const before = await counted();
      const run = await during(cluster, async () => {
        await poster.call('postPaced', {
          urls: [`${system.ingestUrl}/events?ack=log`],
          headers,
          before: JSON.stringify({ type: TYPE, sandboxId, data: { text: TEXT } }).replace(/\}\}$/, `,${MARKER}`),
          after: '}}',
          perSecond,
          events: perSecond * SECONDS,
          connections: 8,
        });
        const { arrivedAt } = await holder.call('collect', { name: sandboxId, quietMs: 3_000 });
        return arrivedAt.reduce((sum, at) => sum + (Number.isNaN(at) ? 0 : 1), 0);
      });
      const deliveries = (await counted()) - before;
      rows.push({
        app,
        subscribers,
        'events/s': perSecond,
        arrived: run.result,
        counted: deliveries,
        'deliveries/s': run.result / run.seconds,
        'µs/delivery': (run.cpuUs[app] - idleUsPerSecond[app] * run.seconds) / run.result,
      });
      await holder.stop();
      rows.at(-1)['bytes/delivery'] = await bytesOfDelivery(cluster, system, app, sandboxId);
      await delay(1_000);
      await settle(system);
    }
  }
  report('fan-out', rows);
  report('one delivery of each event', await measureSpread({ cluster, system, startChild, poster, idleUsPerSecond }));
  await poster.stop();
}

/** Bytes on the wire for each of the first events of a sandbox, by the shape of the door. */
async function bytesOfDelivery(cluster, system, app, sandboxId) {
  const url = new URL(cluster.apps['sse-stream'].url);
  const [port, hello] =
    app === 'sse-stream'
      ? [
          url.port,
          `GET /v1/stream?entityId=${sandboxId}&cursor=earliest HTTP/1.1\r\nhost: x\r\nx-api-key: ${system.apiKey}\r\n\r\n`,
        ]
      : [cluster.dev.pubsub.port, `SUBSCRIBE ${sandboxId} ${system.apiKey} earliest\r\n`];
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.write(hello);
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.split(MARKER).length > FRAMES) break;
  }
  const places = [...text.matchAll(new RegExp(MARKER, 'g'))].map(({ index }) => index);
  return (places.at(-1) - places[0]) / (places.length - 1);
}

/** As many sandboxes as subscribers, each of which follows its own, while all events come in batches. */
async function measureSpread({ cluster, system, startChild, poster, idleUsPerSecond }) {
  const rows = [];
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const { url } = cluster.apps['sse-stream'];
  for (const subscribers of [0, ENTITIES]) {
    const holder = await startChild();
    const urls = Array.from({ length: subscribers }, (_, n) => `${url}/v1/stream?entityId=${entity(n)}`);
    const target = { protocol: 'sse', host: new URL(url).hostname, port: Number(new URL(url).port), urls, headers };
    const expected = { count: subscribers, events: 0, marker: MARKER };
    await holder.call('subscribe', { name: 'spread', target, expected });
    const counted = () => readCounter(url, 'sluice_delivered_events_total');
    const before = await counted();
    const run = await during(cluster, async () => {
      const load = { bodies: mixedBatches, connections: 8, warmUpMs: 0, durationMs: SECONDS * 1000 };
      const { acknowledged } = await poster.call('postClosedLoop', {
        url: `${system.ingestUrl}/events`,
        headers,
        ...load,
      });
      await settle(system);
      return acknowledged * BATCH_EVENTS;
    });
    const ofApp = (app) => (run.cpuUs[app] - idleUsPerSecond[app] * run.seconds) / run.result;
    rows.push({
      subscribers,
      events: run.result,
      'events/s': run.result / run.seconds,
      deliveries: (await counted()) - before,
      'sse-stream µs/event': ofApp('sse-stream'),
      'pubsub-tcp µs/event': ofApp('pubsub-tcp'),
      'webhooks µs/event': ofApp('webhooks'),
      'workspace µs/event': ofApp('workspace'),
      'sessions µs/event': ofApp('sessions'),
    });
    await holder.stop();
  }
  return rows;
}
