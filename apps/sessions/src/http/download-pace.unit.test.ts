import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { requireProgress } from './download-pace';

const CHUNK = Buffer.alloc(65_536);
const MIN_BYTES = 4 * CHUNK.length;

async function setUp(content: () => AsyncIterable<Uint8Array>) {
  const ends: string[] = [];
  const server = createServer((_request, response: ServerResponse) => {
    requireProgress(response, { intervalMs: 50, minBytes: MIN_BYTES });
    response.on('close', () => ends.push(response.writableFinished ? 'whole' : 'cut off'));
    Readable.from(content(), { objectMode: false })
      .on('error', () => undefined)
      .pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const stop = async () => {
    socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { socket, ends, whenEnded: () => untilEnded(ends), stop };
}

async function untilEnded(ends: readonly string[]): Promise<string> {
  while (ends[0] === undefined) await new Promise((resolve) => setImmediate(resolve));
  return ends[0];
}

async function* endless() {
  for (;;) yield CHUNK;
}

it('cuts off a reader that stands still', async () => {
  const { socket, whenEnded, stop } = await setUp(endless);
  socket.pause();
  expect(await whenEnded()).toBe('cut off');
  await stop();
});

it('cuts off a reader that reads a little now and then', async () => {
  const { socket, whenEnded, stop } = await setUp(endless);
  socket.pause();
  const sip = setInterval(() => socket.read(1_000), 20);
  expect(await whenEnded()).toBe('cut off');
  clearInterval(sip);
  await stop();
});

it('leaves a reader alone that waits for the bytes, however long they take', async () => {
  async function* slow() {
    for (let n = 0; n < 6; n++) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      yield Buffer.from('x');
    }
  }
  const { socket, whenEnded, stop } = await setUp(slow);
  drain(socket);
  expect(await whenEnded()).toBe('whole');
  await stop();
});

it('leaves a reader alone that reads on', async () => {
  async function* large() {
    for (let n = 0; n < 2_000; n++) yield CHUNK;
  }
  const { socket, whenEnded, stop } = await setUp(large);
  drain(socket);
  expect(await whenEnded()).toBe('whole');
  await stop();
});

function drain(socket: Socket): void {
  socket.resume();
}
