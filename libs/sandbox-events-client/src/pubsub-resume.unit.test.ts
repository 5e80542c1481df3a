import { eventLine, ScriptedLineServer, type Peer } from '../test/scripted-line-server';
import { until } from '../test/until';
import { createPubSubClient } from './index';

const EVENTS = 400;
const CUTS = 40;

/** A small generator with a seed, so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  cleanUps = [];
});

it.each([1, 2, 3])('sees every event once and in order, however the connection is cut (seed %d)', async (seed) => {
  const random = randomOf(seed);
  const server = new ScriptedLineServer();
  await server.start();
  let cuts = 0;
  const serve = async (peer: Peer): Promise<void> => {
    const cursor = (await peer.line()).split(' ')[3] ?? 'c0';
    const after = Number(cursor.slice(1));
    const lines = [`+OK subscribed sandbox-123 ${cursor}`];
    for (let n = after + 1; n <= EVENTS; n += 1) lines.push(eventLine(n));
    const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
    if (cuts >= CUTS) {
      peer.write(bytes);
      return;
    }
    cuts += 1;
    peer.write(bytes.subarray(0, Math.floor(random() * 3_000)));
    const how = random();
    if (how < 0.4) peer.fin();
    else if (how < 0.7) peer.socket.end(() => peer.reset());
    else peer.reset();
  };
  server.onPeer = (peer) => void serve(peer).catch(() => undefined);
  const client = createPubSubClient({
    host: '127.0.0.1',
    port: server.port,
    sandboxId: 'sandbox-123',
    accessToken: 'token',
    reconnectDelay: 1,
  });
  cleanUps.push(
    () => client.disconnect(),
    () => server.stop(),
  );
  const ids: string[] = [];
  client.on('event', (event) => ids.push(event.id));
  // A first connect may be cut before the acknowledgement; the caller is then told and tries again.
  while (client.getState() !== 'connected' && ids.length === 0) await client.connect().catch(() => undefined);
  // Quick cuts make the back-off grow; connect() does not wait for it.
  await until(
    'all events',
    () => {
      if (client.getState() === 'disconnected') client.connect().catch(() => undefined);
      return ids.length >= EVENTS;
    },
    20_000,
  );
  expect(ids).toEqual(Array.from({ length: EVENTS }, (_, index) => `e${index + 1}`));
  expect(cuts).toBeGreaterThanOrEqual(20);
});
