import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** An app that ends by itself comes back, as a Deployment would see to it: sooner at first, never in a tight loop. */
const RESTART_POLICY = { firstDelayMs: 250, maxDelayMs: 10_000, steadyAfterMs: 30_000 };
const STOP_TIMEOUT_MS = 25_000;
const START_TIMEOUT_MS = 90_000;
const POLL_MS = 50;
const TAIL_LINES = 10;

/**
 * One app as a process of its own, kept running until `stop()`.
 *
 * It is in its own process group, so that Ctrl-C in the terminal reaches the parent only and the parent drains the apps
 * before it ends the brokers.
 */
export class AppProcess {
  #child;
  #exited = Promise.resolve();
  #isWanted = false;
  #isServing = false;
  #tail = [];

  /**
   * @param {{
   *   name: string, url: string, main: string, env: Record<string, string | undefined>, nodeArgs?: readonly string[],
   *   launcher?: string,
   *   reaper: ReturnType<import('../brokers/reaper.mjs').startReaper>, log: (line: string) => void,
   * }} parts
   */
  constructor(parts) {
    this.parts = parts;
  }

  get name() {
    return this.parts.name;
  }

  get url() {
    return this.parts.url;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Ready when last asked, and neither gone nor told to go since: requests are sent to such replicas only. */
  get isServing() {
    return this.#isServing;
  }

  /** Starts the app and resolves when it is ready. @throws Error with the end of its log where it ends before. */
  async start() {
    this.#isWanted = true;
    this.#spawn(RESTART_POLICY.firstDelayMs);
    await this.untilReady(() => this.#child === undefined);
  }

  /** @param {() => boolean} [hasFailed] ends the wait early */
  async untilReady(hasFailed = () => false) {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.#isReady())) {
      if (hasFailed() || Date.now() > deadline) {
        this.#isWanted = false;
        throw new Error(`${this.name} did not start:\n${this.#tail.join('\n')}`);
      }
      await delay(POLL_MS);
    }
    this.#isServing = true;
  }

  /** Ends the process; the restart policy brings it back. */
  async kill(signal = 'SIGKILL') {
    const exited = this.#exited;
    // A killed process is noticed as in a real cluster: when it is gone. One that is told to end has said so.
    if (signal !== 'SIGKILL') this.#isServing = false;
    this.#child?.kill(signal);
    await exited;
  }

  /** Drains and ends the app; after 25 s it is killed. */
  async stop() {
    this.#isWanted = false;
    this.#isServing = false;
    const child = this.#child;
    if (!child) return;
    child.kill('SIGTERM');
    const timer = new AbortController();
    const late = delay(STOP_TIMEOUT_MS, 'late', { signal: timer.signal }).catch(() => undefined);
    if ((await Promise.race([this.#exited, late])) === 'late') child.kill('SIGKILL');
    await this.#exited;
    timer.abort();
  }

  #spawn(restartDelayMs) {
    const { name, main, env, nodeArgs = [], launcher, reaper, log } = this.parts;
    const command = [process.execPath, ...nodeArgs, main];
    const [file, ...args] = launcher === undefined ? command : [launcher, name, ...command];
    const startedAtMs = Date.now();
    const child = spawn(file, args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (child.pid) reaper.add(child.pid, 'TERM');
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
        log(line);
      });
    }
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => {
        log(`cannot be run: ${error.message}`);
        resolve();
      });
      child.once('exit', (code, signal) => {
        if (child.pid) reaper.del(child.pid);
        this.#child = undefined;
        this.#isServing = false;
        resolve();
        if (!this.#isWanted) return;
        const wasSteady = Date.now() - startedAtMs > RESTART_POLICY.steadyAfterMs;
        const nextMs = wasSteady ? RESTART_POLICY.firstDelayMs : restartDelayMs;
        log(`ended with ${signal ?? `code ${code}`}; it is started again in ${nextMs} ms`);
        setTimeout(() => {
          if (!this.#isWanted) return;
          this.#spawn(Math.min(nextMs * 2, RESTART_POLICY.maxDelayMs));
          void this.#serveWhenReady(this.#child);
        }, nextMs);
      });
    });
  }

  /** For a process that came back by itself: nobody waits for it. */
  async #serveWhenReady(child) {
    while (this.#child === child && this.#isWanted && !(await this.#isReady())) await delay(POLL_MS);
    if (this.#child === child && this.#isWanted) this.#isServing = true;
  }

  async #isReady() {
    return fetch(`${this.url}/ready`, { signal: AbortSignal.timeout(2_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  }
}
