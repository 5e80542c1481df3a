import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BrokerError, lastLines } from './command.mjs';
import { untilReady } from './ready.mjs';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_LINES = 20;
const LOG_TAIL_BYTES = 32 * 1024;

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
  #logOffset = 0;
  #started = false;
  #stopping = false;
  #log;
  #child;
  #exit;

  /**
   * @param {{
   *   name: string, reaper: ReturnType<import('./reaper.mjs').startReaper>, logFile: string,
   *   log: (line: string) => void,
   *   command: { file: string, args: string[], options?: object, stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' },
   * }} parts
   */
  constructor({ name, command, reaper, logFile, log }) {
    this.#name = name;
    this.#command = command;
    this.#reaper = reaper;
    this.#logFile = logFile;
    this.#log = log;
  }

  /** The process id while it runs. */
  get pid() {
    return this.#child?.pid;
  }

  /** Starts the process and resolves once `check` succeeds. Rejects with one line and the end of the broker's log. */
  async start(check) {
    const { file, args, options, stopSignal } = this.#command;
    // One set of brokers, one log: a data folder that is used again does not collect old ones.
    const logDescriptor = openSync(this.#logFile, this.#started ? 'a' : 'w');
    this.#logOffset = fstatSync(logDescriptor).size;
    this.#started = true;
    this.#stopping = false;
    const child = spawn(file, args, { stdio: ['ignore', logDescriptor, logDescriptor], detached: true, ...options });
    closeSync(logDescriptor);
    this.#child = child;
    let ended;
    let ready = false;
    this.#exit = new Promise((resolve) => {
      const end = (reason) => {
        ended ??= reason;
        if (child.pid) this.#reaper.del(child.pid);
        if (this.#child === child) this.#child = undefined;
        if (ready && !this.#stopping)
          this.#log(`${this.#name}: process ${child.pid} ${ended}; nobody here asked for it`);
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
      ready = true;
    } catch (error) {
      await this.stop('SIGKILL');
      throw new BrokerError(`${this.#name}: ${file} did not start: ${error.message}\n${this.#logTail()}`);
    }
  }

  /** Ends the process with the signal, after 20 seconds with SIGKILL, and resolves when it is gone. */
  async stop(signal = this.#command.stopSignal) {
    const child = this.#child;
    if (!child?.pid) return;
    this.#stopping = true;
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

  /** The end of what the broker wrote since its last start. */
  #logTail() {
    const descriptor = openSync(this.#logFile, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const from = Math.max(this.#logOffset, size - LOG_TAIL_BYTES);
      const bytes = Buffer.alloc(size - from);
      readSync(descriptor, bytes, 0, bytes.length, from);
      return lastLines(bytes.toString('utf8'), LOG_TAIL_LINES);
    } finally {
      closeSync(descriptor);
    }
  }
}
