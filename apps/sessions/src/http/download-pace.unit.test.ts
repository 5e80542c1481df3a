import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { requireProgress } from './download-pace';

const CHUNK = Buffer.alloc(65_536);
const MIN_BYTES = 4 * CHUNK.length;
const INTERVAL_MS = 50;

// Progress is looked at when a test says so; all else goes by the real clock.
beforeAll(() => {
  jest.useFakeTimers({
    doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'Date'],
  });
});
afterAll(() => jest.useRealTimers());

const look = () => jest.advanceTimersByTime(INTERVAL_MS);
const pause = () => new Promise((resolve) => setImmediate(resolve));

interface Download {
  readonly socket: Socket;
  readonly response: ServerResponse;
  /** How it ended, once it has. */
  readonly ends: readonly string[];
  stop(): Promise<void>;
}

async function setUp(content: () => AsyncIterable<Uint8Array>): Promise<Download> {
  const ends: string[] = [];
  const responses: ServerResponse[] = [];
  const server = createServer((_request, response: ServerResponse) => {
    responses.push(response);
    requireProgress(response, { intervalMs: INTERVAL_MS, minBytes: MIN_BYTES });
    response.on('close', () => ends.push(response.writableFinished ? 'whole' : 'cut off'));
    Readable.from(content(), { objectMode: false })
      .on('error', () => undefined)
      .pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  await once(server, 'request');
  const [response] = responses;
  if (response === undefined) throw new Error('no request came');
  const stop = async () => {
    socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { socket, response, ends, stop };
}

async function* endless() {
  for (;;) yield CHUNK;
}

it('cuts off a reader that stands still', async () => {
  const { ends, stop } = await setUp(endless);
  for (; ends[0] === undefined; look()) await pause();
  expect(ends).toEqual(['cut off']);
  await stop();
});

it('cuts off a reader that reads a little now and then', async () => {
  const { socket, ends, stop } = await setUp(endless);
  for (; ends[0] === undefined; look()) {
    await pause();
    socket.read(1_000);
  }
  expect(ends).toEqual(['cut off']);
  await stop();
});

it('leaves a reader alone that waits for the bytes, however long they take', async () => {
  async function* slow() {
    for (let n = 0; n < 6; n++) {
      for (let looks = 0; looks < 3; looks++) {
        await pause();
        look();
      }
      yield Buffer.from('x');
    }
  }
  const { socket, ends, stop } = await setUp(slow);
  socket.resume();
  while (ends[0] === undefined) await pause();
  expect(ends).toEqual(['whole']);
  await stop();
});

it('leaves a reader alone that reads on', async () => {
  async function* large() {
    for (let n = 0; n < 500; n++) yield CHUNK;
  }
  const { socket, response, ends, stop } = await setUp(large);
  let [received, due, looks] = [0, MIN_BYTES, 0];
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
    // So much has left for it since the last look, at least.
    if (received < due || response.socket === null) return;
    look();
    looks++;
    due = response.socket.bytesWritten + MIN_BYTES;
  });
  socket.resume();
  while (ends[0] === undefined) await pause();
  expect(ends).toEqual(['whole']);
  expect(looks).toBeGreaterThan(2);
  await stop();
});
