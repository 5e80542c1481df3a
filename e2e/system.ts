import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
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
  /** The file as it is now: addresses may change when the system comes back. */
  dev(): DevFile;
  stop(): Promise<void>;
}

export interface EmbeddedSystem extends System {
  /** `kill -9` of the one process, and a new start on the same data. */
  crash(): Promise<void>;
}

export interface ClusterSystem extends System {
  /** `kill -9` of one process; resolves when it is back and ready. */
  killApp(name: string): Promise<void>;
  /** Restarts all replicas of an app, one after the other, as a rolling update does. */
  roll(app: string): Promise<void>;
  /** The processes' own addresses, by name: a replica is called as its app, from the second one on with its number. */
  processes(): Promise<Readonly<Record<string, { readonly url: string; readonly pid: number }>>>;
  /** `kill -9` of the NATS server and the loss of all its data; resolves when it is back, empty. */
  loseDeliveryLog(): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const ROOT = join(__dirname, '..');
const START_TIMEOUT_MS = 120_000;
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

  static async start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Running> {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const running = new Running(child);
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${running.output}`);
        return running.output.includes('Sluice is ready');
      },
      'the system starts',
      START_TIMEOUT_MS,
    );
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
export async function startEmbedded(settings: Readonly<Record<string, string>> = {}): Promise<EmbeddedSystem> {
  const dataDir = await makeDataDir();
  const start = () =>
    Running.start([join(ROOT, 'apps', 'all-in-one', 'dist', 'main.js')], {
      ...systemEnvironment(dataDir),
      ...settings,
    });
  let running = await start();
  let dev = await readDevFile(dataDir);
  return {
    engine: 'embedded',
    dev: () => dev,
    crash: async () => {
      await running.end('SIGKILL');
      running = await start();
      dev = await readDevFile(dataDir);
    },
    stop: async () => {
      await running.end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** @param settings more of the environment, for instance `SLUICE_CLUSTER_REPLICAS` */
export async function startCluster(settings: Readonly<Record<string, string>> = {}): Promise<ClusterSystem> {
  const dataDir = await makeDataDir();
  const running = await Running.start([join(ROOT, 'tools', 'start-cluster.mjs'), '--control', '--no-set-up'], {
    ...systemEnvironment(dataDir),
    ...settings,
  });
  const dev = await readDevFile(dataDir);
  const answers: { readonly ok: boolean; readonly error?: string; readonly result?: unknown }[] = [];
  let rest = '';
  running.child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('control: ')) answers.push(JSON.parse(line.slice(9)) as (typeof answers)[number]);
    }
  });
  const obey = async (order: string): Promise<unknown> => {
    const seen = answers.length;
    running.child.stdin.write(`${order}\n`);
    await until(() => answers.length > seen, `the order "${order}" is obeyed`, ORDER_TIMEOUT_MS);
    const answer = answers[seen];
    if (!answer?.ok) throw new Error(`${order}: ${answer?.error ?? 'no answer'}`);
    return answer.result;
  };
  return {
    engine: 'cluster',
    dev: () => dev,
    killApp: async (name) => void (await obey(`kill ${name} SIGKILL`)),
    roll: async (app) => void (await obey(`roll ${app}`)),
    processes: async () => (await obey('where')) as Awaited<ReturnType<ClusterSystem['processes']>>,
    loseDeliveryLog: async () => void (await obey('restart nats SIGKILL wipe')),
    stop: async () => {
      await running.end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
