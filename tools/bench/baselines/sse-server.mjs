// Baseline of delivery: node:http alone. `POST /events` is answered and its body written as one frame, encoded once, to
// every subscriber; `GET /replay?count=N` writes N frames as fast as they are read. Nothing is stored or checked.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { serveCalls } from '../child.mjs';

const FRAMES_PER_WRITE = 100;
const REPLAY_DATA = 'x'.repeat(200);
const subscribers = new Set();
let nextId = 0;

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://host');
  if (request.method === 'POST') return receive(request, response);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('retry: 1000\n\n');
  if (pathname === '/replay') return void replay(response, Number(searchParams.get('count')));
  subscribers.add(response);
  response.on('close', () => subscribers.delete(response));
});

function receive(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': 2 });
    response.end('{}');
    const frame = Buffer.from(`id: ${nextId++}\nevent: custom.bench\ndata: ${Buffer.concat(chunks)}\n\n`);
    for (const subscriber of subscribers) subscriber.write(frame);
  });
}

async function replay(response, count) {
  for (let position = 1; position <= count && !response.destroyed; position += FRAMES_PER_WRITE) {
    const frames = [];
    for (let at = position; at < position + FRAMES_PER_WRITE && at <= count; at += 1) {
      frames.push(Buffer.from(`id: ${at}\nevent: custom.bench\ndata: {"position":${at},"text":"${REPLAY_DATA}"}\n\n`));
    }
    response.write(Buffer.concat(frames));
    if (response.writableNeedDrain) await once(response, 'drain').catch(() => undefined);
  }
}

server.listen(0, '127.0.0.1');
await once(server, 'listening');

serveCalls({ url: () => `http://127.0.0.1:${server.address().port}` });
