import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BrokerError, lastLines } from './command.mjs';
import { untilReady } from './ready.mjs';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_LINES = 20;

/**
 * One broker as a local process: start until ready, end, start again.
 *
 * The process is in its own process group, so that Ctrl-C in the terminal reaches the parent only and the parent
 * decides how each broker ends.
 */
export class ManagedProcess {
  #name;
  #command;
  #reaper;
  #logFile;
  #child;
  #exit;

  /**
   * @param {{
   *   name: string, reaper: ReturnType<import('./reaper.mjs').startReaper>, logFile: string,
   *   command: { file: string, args: string[], options?: object, stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' },
   * }} parts
   */
  constructor({ name, command, reaper, logFile }) {
    this.#name = name;
    this.#command = command;
    this.#reaper = reaper;
    this.#logFile = logFile;
  }

  /** The process id while it runs. */
  get pid() {
    return this.#child?.pid;
  }

  /** Starts the process and resolves once `check` succeeds. Rejects with one line and the end of the broker's log. */
  async start(check) {
    const { file, args, options, stopSignal } = this.#command;
    const logDescriptor = openSync(this.#logFile, 'a');
    const child = spawn(file, args, { stdio: ['ignore', logDescriptor, logDescriptor], detached: true, ...options });
    closeSync(logDescriptor);
    this.#child = child;
    let ended;
    this.#exit = new Promise((resolve) => {
      const end = (reason) => {
        ended ??= reason;
        if (child.pid) this.#reaper.del(child.pid);
        if (this.#child === child) this.#child = undefined;
        resolve();
      };
      child.once('error', (error) => end(`cannot be run: ${error.message}`));
      child.once('exit', (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
    });
    if (child.pid) this.#reaper.add(child.pid, stopSignal.replace('SIG', ''));
    child.unref();
    try {
      await untilReady(check, { deadlineMs: START_TIMEOUT_MS, giveUp: () => ended });
      if (ended) throw new Error(ended);
    } catch (error) {
      await this.stop('SIGKILL');
      throw new BrokerError(`${this.#name}: ${file} did not start: ${error.message}\n${this.#logTail()}`);
    }
  }

  /** Ends the process with the signal, after 20 seconds with SIGKILL, and resolves when it is gone. */
  async stop(signal = this.#command.stopSignal) {
    const child = this.#child;
    if (!child?.pid) return;
    child.ref();
    child.kill(signal);
    const timer = new AbortController();
    const late = delay(STOP_TIMEOUT_MS, 'late', { signal: timer.signal }).catch(() => undefined);
    if ((await Promise.race([this.#exit, late])) === 'late') {
      child.kill('SIGKILL');
      await this.#exit;
    }
    timer.abort();
  }

  #logTail() {
    if (!existsSync(this.#logFile)) return '(no log)';
    return lastLines(readFileSync(this.#logFile, 'utf8'), LOG_TAIL_LINES);
  }
}
