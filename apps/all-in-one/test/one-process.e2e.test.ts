import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';

interface DevFile {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly accessToken: string;
}

const MAIN = join(__dirname, '..', 'dist', 'main.js');
const KEPT_OUTPUT_CHARS = 20_000;
const WRITERS = 4;
const EVENTS_PER_WRITER = 100;

let dataDir: string;
let running: ChildProcess | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  // As root, PostgreSQL runs as another user, who has to come here.
  await chmod(dataDir, 0o755);
});

afterAll(async () => {
  if (running) await end(running, 'SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts the app on any free port and waits until it says where it is. */
async function start(): Promise<DevFile> {
  const file = join(dataDir, 'dev.json');
  const child = spawn(process.execPath, [MAIN], {
    env: {
      SLUICE_DATA_DIR: dataDir,
      SLUICE_HTTP_PORT: '0',
      SLUICE_PUBSUB_PORT: '0',
      SLUICE_GATEWAY_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS)));
  }
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`the app ended: ${output}`);
      return output.includes('Sluice is ready') && existsSync(file);
    },
    'the app starts',
    60_000,
  );
  return JSON.parse(await readFile(file, 'utf8')) as DevFile;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** Stores one event until it is acknowledged, across restarts, under one idempotency key. */
async function store(dev: () => DevFile, writer: number, n: number): Promise<void> {
  await until(
    async () => {
      const { baseUrl, accessToken } = dev();
      try {
        const response = await fetch(`${baseUrl}/events`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${accessToken}`,
            'content-type': 'application/json',
            'idempotency-key': `${writer}/${n}`,
          },
          body: JSON.stringify({ type: 'custom', data: { writer, n } }),
        });
        await response.text();
        return response.status === 201 || response.status === 202;
      } catch {
        return false;
      }
    },
    'the event is acknowledged',
    90_000,
  );
}

interface Seen {
  readonly position: number;
  readonly entitySequence: number;
  readonly data: { readonly writer: number; readonly n: number };
}

/** Reads the stream from its beginning until it has shown so many events. */
async function readStream({ baseUrl, apiKey }: DevFile, count: number): Promise<Seen[]> {
  const abort = new AbortController();
  const response = await fetch(`${baseUrl}/v1/stream?cursor=earliest`, {
    headers: { 'x-api-key': apiKey },
    signal: abort.signal,
  });
  const seen: Seen[] = [];
  let rest = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) seen.push(JSON.parse(line.slice(6)) as Seen);
    if (seen.length >= count) break;
  }
  abort.abort();
  return seen;
}

it('keeps every acknowledged event exactly once and in order when the process is killed in the middle (G1, G2, G4)', async () => {
  let dev = await start();
  let acknowledged = 0;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; n < EVENTS_PER_WRITER; n++) {
      await store(() => dev, writer, n);
      acknowledged++;
    }
  });
  await until(() => acknowledged > EVENTS_PER_WRITER, 'a part is acknowledged', 60_000);
  if (running) await end(running, 'SIGKILL');
  dev = await start();
  await Promise.all(writers);

  const total = WRITERS * EVENTS_PER_WRITER;
  const seen = await readStream(dev, total);
  const numbers = Array.from({ length: total }, (_, index) => index + 1);
  expect(seen.map(({ position }) => position)).toEqual(numbers);
  expect(seen.map(({ entitySequence }) => entitySequence)).toEqual(numbers);
  for (let writer = 0; writer < WRITERS; writer++) {
    const own = seen.filter(({ data }) => data.writer === writer).map(({ data }) => data.n);
    expect(own).toEqual(Array.from({ length: EVENTS_PER_WRITER }, (_, n) => n));
  }
  const answer = await fetch(`${dev.baseUrl}/events/sandbox-123?limit=1000`, { headers: { 'x-api-key': dev.apiKey } });
  const { data } = (await answer.json()) as { data: { events: { data: unknown }[] } };
  expect(data.events.map((event) => event.data)).toEqual(seen.map((event) => event.data));
}, 180_000);
