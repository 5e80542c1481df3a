import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { settle } from '../../bench/read-side.mjs';
import { during } from './processes.mjs';

const ENDPOINTS = 10;
const POLL_MS = 50;
const TIMEOUT_MS = 60_000;
const SHAPES = [
  { perSecond: 10, seconds: 10 },
  { perSecond: 40, seconds: 10 },
];

/** What a delivery to an application takes: every endpoint is told of every event, and answers at once. */
export async function measureWebhooks({ cluster, system, receiverPort, startChild, report, idleUsPerSecond }) {
  const poster = await startChild();
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  let taken = 0;
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      taken += 1;
      response.writeHead(204).end();
    });
  }).listen(receiverPort, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${receiverPort}/`;
  const door = `${cluster.apps.webhooks.url}/v1/webhooks`;
  const ids = [];
  for (let n = 0; n < ENDPOINTS; n += 1) {
    const body = JSON.stringify({ url: `${url}${n}`, filter: { types: ['custom.measured-webhook'] } });
    const response = await fetch(door, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    ids.push((await response.json()).endpointId);
  }
  const rows = [];
  for (const { perSecond, seconds } of SHAPES) {
    taken = 0;
    const expected = perSecond * seconds * ENDPOINTS;
    const run = await during(cluster, async () => {
      await poster.call('postPaced', {
        urls: [`${system.ingestUrl}/events`],
        headers,
        before: '{"type":"custom.measured-webhook","sandboxId":"measured-webhook","data":{"n":',
        after: '}}',
        perSecond,
        events: perSecond * seconds,
        connections: 8,
      });
      const deadline = Date.now() + TIMEOUT_MS;
      while (taken < expected && Date.now() < deadline) await delay(POLL_MS);
    });
    rows.push({
      endpoints: ENDPOINTS,
      'events/s': perSecond,
      deliveries: taken,
      expected,
      'deliveries/s': taken / run.seconds,
      'µs/delivery': (run.cpuUs.webhooks - idleUsPerSecond.webhooks * run.seconds) / taken,
      'PostgreSQL µs/delivery': (run.cpuUs.postgres - idleUsPerSecond.postgres * run.seconds) / taken,
    });
  }
  for (const id of ids) await fetch(`${door}/${id}`, { method: 'DELETE', headers });
  receiver.close();
  receiver.closeAllConnections();
  await poster.stop();
  await settle(system);
  report('webhooks', rows);
}
