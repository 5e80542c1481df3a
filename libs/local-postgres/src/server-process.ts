import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { PostgresBinaries } from './binaries';
import type { ServerUser } from './server-user';

/** How long a fast shutdown may take before the server is told to drop everything. */
const FAST_SHUTDOWN_MS = 15_000;

const MAX_LOG_LENGTH = 8_000;

/**
 * Runs the server and ends it (a fast shutdown) as soon as standard input closes: that happens when its parent dies, by
 * whatever signal, so no orphan stays behind.
 */
const GUARD =
  'exec 3<&0 </dev/null; "$@" & server=$!; (cat <&3 >/dev/null; kill -INT $server 2>/dev/null) & wait $server';

export interface ServerProcess {
  readonly port: number;
  /** The end of the server's log. */
  lastLines(): string;
  hasExited(): boolean;
  stop(): Promise<void>;
}

const SERVER_SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=128MB',
  'max_wal_size=1GB',
  'checkpoint_completion_target=0.9',
];

export async function startServerProcess(
  binaries: PostgresBinaries,
  clusterFolder: string,
  user: ServerUser,
): Promise<ServerProcess> {
  const port = await freePort();
  const args = ['-D', clusterFolder, '-p', String(port), ...SERVER_SETTINGS.flatMap((setting) => ['-c', setting])];
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', binaries.postgres, ...args], {
    ...user,
    cwd: '/',
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C at the terminal is for us: we end the server when nobody needs it any more.
    detached: true,
  });
  let log = '';
  const collect = (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-MAX_LOG_LENGTH);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', (error) => collect(Buffer.from(String(error))));
  child.stdin.on('error', () => undefined);
  return {
    port,
    lastLines: () => log.trim().split('\n').slice(-5).join('\n'),
    hasExited: () => exited(child),
    stop: () => stopProcess(child),
  };
}

const exited = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

async function stopProcess(child: ChildProcess): Promise<void> {
  if (exited(child)) return;
  const end = once(child, 'exit');
  child.stdin?.end();
  const timer = setTimeout(() => {
    // The whole group: the guard and the server, which drops all connections at SIGQUIT.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGQUIT');
  }, FAST_SHUTDOWN_MS);
  await end;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
