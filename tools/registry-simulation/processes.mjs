import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newApiKeyText } from '@sluice/access';
import { startReaper } from '../brokers/reaper.mjs';
import { root } from '../set-up.mjs';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 25_000;
const POLL_MS = 50;
const TAIL_CHARS = 20_000;
/** What the apps say when they serve. */
const SERVING = /Sluice is ready|"started"/;

const READER = join(root, 'apps', 'all-in-one', 'dist', 'main.js');
const WATCHER = join(root, 'apps', 'registry-watcher', 'dist', 'main.js');

/**
 * The processes of one run: one that projects and answers, which is left alone, and watchers, which are killed.
 *
 * @param {{folder: string, databaseUrl: string, chainsFile: string, allowPrivateUrls: string, watchers: number}} options
 */
export async function startProcesses(options) {
  for (const main of [READER, WATCHER]) if (!existsSync(main)) throw new Error('build first: npm run build');
  const operatorKey = newApiKeyText();
  const reaper = startReaper([]);
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    SLUICE_ENGINE: 'embedded',
    SLUICE_DATABASE_URL: options.databaseUrl,
    SLUICE_DATABASE_POOL_SIZE: '4',
    SLUICE_OPERATOR_KEYS: operatorKey,
    SLUICE_TOKEN_SECRETS: randomBytes(32).toString('hex'),
    SLUICE_HTTP_HOST: '127.0.0.1',
    SLUICE_HTTP_PORT: '0',
    SLUICE_LOG_FORMAT: 'json',
  };
  const dataDir = join(options.folder, 'data');
  await mkdir(dataDir);
  await chmod(dataDir, 0o755);
  const reader = new App(READER, reaper, {
    ...env,
    SLUICE_DATA_DIR: dataDir,
    SLUICE_PUBSUB_PORT: '0',
    SLUICE_GATEWAY_PORT: '0',
  });
  const watcherEnv = {
    ...env,
    SLUICE_CHAINS_FILE: options.chainsFile,
    SLUICE_CHAIN_LEASE: '1s',
    SLUICE_ALLOW_PRIVATE_URLS: options.allowPrivateUrls,
    SLUICE_REGISTRATION_FILE_WAIT: '300ms',
    SLUICE_PROBE_INTERVAL_MS: '60s',
  };
  const watchers = Array.from({ length: options.watchers }, () => new App(WATCHER, reaper, watcherEnv));
  const all = [reader, ...watchers];
  const stop = async () => {
    await Promise.all(all.map((app) => app.stop()));
    reaper.done();
  };
  try {
    // The first one makes the tables.
    await reader.start();
    const dev = join(dataDir, 'dev.json');
    await until(() => existsSync(dev), 'the address of the reader');
    const { baseUrl } = JSON.parse(await readFile(dev, 'utf8'));
    await Promise.all(watchers.map((app) => app.start()));
    return { baseUrl, operatorKey, watchers, stop, tails: () => all.map((app) => app.tail) };
  } catch (error) {
    await stop();
    throw error;
  }
}

class App {
  #child;
  #exit = Promise.resolve();
  #crashes = Promise.resolve();
  tail = '';

  constructor(main, reaper, env) {
    this.main = main;
    this.reaper = reaper;
    this.env = env;
  }

  async start() {
    const child = spawn(process.execPath, [this.main], {
      env: this.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.reaper.add(child.pid, 'TERM');
    let isReady = false;
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.tail = (this.tail + chunk).slice(-TAIL_CHARS);
        if (!isReady) isReady = SERVING.test((said += chunk));
      });
    }
    this.#exit = once(child, 'exit').then(() => {
      this.reaper.del(child.pid);
      if (this.#child === child) this.#child = undefined;
    });
    await until(() => {
      if (this.#child !== child) throw new Error(`${this.main} ended: ${this.tail.slice(-2_000)}`);
      return isReady;
    }, `${this.main} starts`);
  }

  /** `kill -9`, and a new start; one after the other. Resolves when it is back. */
  crash() {
    this.#crashes = this.#crashes.then(async () => {
      this.#child?.kill('SIGKILL');
      await this.#exit;
      this.tail += '\n--- killed ---\n';
      await this.start();
    });
    return this.#crashes;
  }

  async stop() {
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exit;
    clearTimeout(late);
  }
}

/** @throws Error that says what did not come */
export async function until(isMet, what, timeoutMs = START_TIMEOUT_MS) {
  for (const deadline = performance.now() + timeoutMs; ; await pause(POLL_MS)) {
    if (await isMet()) return;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
  }
}
