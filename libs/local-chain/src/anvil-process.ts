import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { LocalChainError } from './local-chain-error';

const MAX_LOG_LENGTH = 8_000;

/** How long a node may take to end before it is killed. */
const END_TIMEOUT_MS = 2_000;

/**
 * Runs a program and kills it as soon as standard input closes: that happens when its parent dies, by whatever signal, so
 * no orphan stays behind. The folder of its files goes with it.
 */
const GUARD =
  'folder=$1; shift; exec 3<&0 </dev/null; "$@" 3<&- & node=$!; echo "pid $node"; ' +
  '(cat <&3 >/dev/null; kill -KILL $node 2>/dev/null; rm -rf "$folder") >/dev/null 2>&1 & wait $node';

export interface AnvilProcess {
  readonly port: number;
  readonly pid: number;
  /** The end of what it said. */
  lastLines(): string;
  hasExited(): boolean;
  stop(): Promise<void>;
}

/** @param folder its own, removed with it */
export async function startAnvilProcess(port: number, folder: string, args: readonly string[]): Promise<AnvilProcess> {
  const chosenPort = port === 0 ? await freePort() : port;
  const command = [anvilBinary(), '--host', '127.0.0.1', '--port', String(chosenPort), '--cache-path', folder, ...args];
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', folder, ...command], {
    cwd: folder,
    env: { HOME: folder, PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C at the terminal is for us.
    detached: true,
  });
  let log = '';
  const collect = (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-MAX_LOG_LENGTH);
  };
  child.stderr.on('data', collect);
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => collect(Buffer.from(String(error))));
  const pid = await readPid(child);
  child.stdout.on('data', collect);
  return {
    port: chosenPort,
    pid,
    lastLines: () => log.trim().split('\n').slice(-5).join('\n'),
    hasExited: () => hasExited(child),
    stop: () => stopProcess(child),
  };
}

/** The program of the npm package of this platform: the JavaScript before it would only be one more process. */
function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  try {
    const paths = [dirname(require.resolve('@foundry-rs/anvil/package.json'))];
    return join(dirname(require.resolve(`${name}/package.json`, { paths })), 'bin', 'anvil');
  } catch (error) {
    throw new LocalChainError(`There is no anvil for this platform (${name})`, { cause: error });
  }
}

async function readPid(child: ChildProcess): Promise<number> {
  const { stdout } = child;
  if (stdout === null) throw new LocalChainError('anvil has no output');
  const [chunk] = (await Promise.race([once(stdout, 'data'), once(child, 'exit').then(() => [''])])) as [unknown];
  const pid = /^pid (\d+)/.exec(String(chunk))?.[1];
  if (pid === undefined) throw new LocalChainError('anvil could not be started');
  return Number(pid);
}

const hasExited = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return;
  const end = once(child, 'exit');
  child.stdin?.end();
  const timer = setTimeout(() => {
    // The whole group: the guard and the node.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, END_TIMEOUT_MS);
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
