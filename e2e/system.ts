import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { until } from '@sluice/event-log/conformance';
import { systemEnvironment } from './config';

/** `dev.json`: what a freshly started Sluice writes for those who want to call it. */
export interface DevFile {
  readonly baseUrl: string;
  readonly pubsub: { readonly host: string; readonly port: number };
  readonly workspaceId: number;
  readonly apiKey: string;
  readonly adminKey: string;
  readonly sandboxId: string;
  readonly accessToken: string;
  /** The other address of the one process, on the port that the workspace document names. */
  readonly gatewayUrl?: string;
}

/** A whole Sluice, started as a user starts it, on data of its own. */
export interface System {
  readonly engine: 'embedded' | 'cluster';
  /** Its folder: data and `dev.json`. */
  readonly dataDir: string;
  /** The file as it is now: addresses may change when the system comes back. */
  dev(): DevFile;
  /** @param keep leaves the folder where it is */
  stop(keep?: boolean): Promise<void>;
}

export interface EmbeddedSystem extends System {
  readonly engine: 'embedded';
  readonly pid: number;
  /** Ends the one process, by `kill -9` where nothing else is said, and starts it again on the same data. */
  crash(how?: { readonly signal?: NodeJS.Signals; readonly whileDown?: () => Promise<void> }): Promise<void>;
}

export type BrokerName = 'kafka' | 'nats' | 'postgres';

/** Where the brokers are, and which processes they are. */
export interface Brokers {
  readonly kafkaBrokers: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly pids: Readonly<Record<BrokerName, number>>;
}

export interface ClusterSystem extends System {
  readonly engine: 'cluster';
  /** `kill -9` of one process; resolves when it is back and ready. */
  killApp(name: string): Promise<void>;
  /** Restarts all replicas of an app, one after the other, as a rolling update does. */
  roll(app: string): Promise<void>;
  /**
   * The processes' own addresses, by name: a replica is called as its app, from the second one on with its number. Without
   * `pid` it ended and is not back yet.
   */
  processes(): Promise<Readonly<Record<string, { readonly url: string; readonly pid?: number }>>>;
  brokers(): Promise<Brokers>;
  /** Ends a broker and starts it again; resolves when it is back. `wipe`: without its data. */
  restartBroker(name: BrokerName, signal: 'SIGTERM' | 'SIGKILL', wipe?: 'wipe'): Promise<void>;
  /** Ends a broker and leaves it away until `bringUp`. */
  takeDown(name: BrokerName, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  bringUp(name: BrokerName): Promise<void>;
}

/** How a system is started for a test. */
export interface StartOptions {
  /** Its folder, which is there already; a new one where it is absent. */
  readonly dataDir?: string;
  /** Gets all that its processes say. */
  readonly logFile?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const ROOT = join(__dirname, '..');
const START_TIMEOUT_MS = 240_000;
const ORDER_TIMEOUT_MS = 90_000;
const KEPT_OUTPUT_CHARS = 20_000;

/** One child of ours and what it said. */
class Running {
  output = '';

  private constructor(readonly child: Child) {
    child.stdout.on('data', (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS);
    });
  }

  static async start(args: readonly string[], env: NodeJS.ProcessEnv, logFile?: string): Promise<Running> {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'inherit'] });
    if (logFile !== undefined) child.stdout.pipe(createWriteStream(logFile, { flags: 'a' }));
    const running = new Running(child);
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${running.output}`);
        return running.output.includes('Sluice is ready');
      },
      'the system starts',
      START_TIMEOUT_MS,
    ).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    return running;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}

/** As root, PostgreSQL runs as another user, who has to come here. */
async function makeDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  await chmod(dataDir, 0o755);
  return dataDir;
}

async function readDevFile(dataDir: string): Promise<DevFile> {
  return JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')) as DevFile;
}

/** @param settings more of the environment, for instance `SLUICE_CHAINS_FILE` */
export async function startEmbedded(
  settings: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<EmbeddedSystem> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  const main = join(ROOT, 'apps', 'all-in-one', 'dist', 'main.js');
  const start = () => Running.start([main], { ...systemEnvironment(dataDir), ...settings }, options.logFile);
  let running = await start();
  let dev = await readDevFile(dataDir);
  return {
    engine: 'embedded',
    dataDir,
    dev: () => dev,
    get pid() {
      return running.child.pid ?? 0;
    },
    crash: async ({ signal = 'SIGKILL', whileDown } = {}) => {
      await running.end(signal);
      await whileDown?.();
      running = await start();
      dev = await readDevFile(dataDir);
    },
    stop: async (keep = false) => {
      await running.end('SIGTERM');
      if (!keep) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** @param settings more of the environment, for instance `SLUICE_CLUSTER_REPLICAS` */
export async function startCluster(
  settings: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<ClusterSystem> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  const running = await Running.start(
    [join(ROOT, 'tools', 'start-cluster.mjs'), '--control', '--no-set-up'],
    { ...systemEnvironment(dataDir), ...settings },
    options.logFile,
  );
  const dev = await readDevFile(dataDir);
  const obey = obeyBy(running.child);
  return {
    engine: 'cluster',
    dataDir,
    dev: () => dev,
    killApp: async (name) => void (await obey(`kill ${name} SIGKILL`)),
    roll: async (app) => void (await obey(`roll ${app}`)),
    processes: async () => (await obey('where')) as Awaited<ReturnType<ClusterSystem['processes']>>,
    brokers: async () => (await obey('brokers')) as Brokers,
    restartBroker: async (name, signal, wipe) => void (await obey(`restart ${name} ${signal} ${wipe ?? ''}`)),
    takeDown: async (name, signal) => void (await obey(`down ${name} ${signal}`)),
    bringUp: async (name) => void (await obey(`up ${name}`)),
    stop: async (keep = false) => {
      await running.end('SIGTERM');
      if (!keep) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Gives orders to a cluster by its standard input, one at a time; resolves with what the answer says. */
function obeyBy(child: Child): (order: string) => Promise<unknown> {
  const answers: { readonly ok: boolean; readonly error?: string; readonly result?: unknown }[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('control: ')) answers.push(JSON.parse(line.slice(9)) as (typeof answers)[number]);
    }
  });
  const give = async (order: string): Promise<unknown> => {
    const seen = answers.length;
    child.stdin.write(`${order}\n`);
    await until(() => answers.length > seen, `the order "${order}" is obeyed`, ORDER_TIMEOUT_MS);
    const answer = answers[seen];
    if (!answer?.ok) throw new Error(`${order}: ${answer?.error ?? 'no answer'}`);
    return answer.result;
  };
  let last: Promise<unknown> = Promise.resolve();
  return (order) => (last = last.catch(() => undefined).then(() => give(order)));
}
