import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 20_000;
const KILL_AFTER_MS = 3_000;

/**
 * Answers the calls of the process that forked this one, and ends with it.
 *
 * @param {Record<string, (argument: any) => unknown>} methods
 */
export function serveCalls(methods) {
  process.on('message', ({ id, method, argument }) => {
    Promise.resolve()
      .then(() => methods[method](argument))
      .then(
        (value) => process.send({ id, value }),
        (error) => process.send({ id, error: String(error?.stack ?? error) }),
      );
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C is for the parent, who ends this process when it is done.
  process.on('SIGINT', () => undefined);
  process.send({ ready: true });
}

/** A forked process of the benchmark, called by message. */
export class Child {
  #calls = new Map();
  #nextId = 0;
  #process;

  constructor(childProcess) {
    this.#process = childProcess;
    childProcess.on('message', ({ id, value, error }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) call?.resolve(value);
      else call?.reject(new Error(error));
    });
    childProcess.on('exit', (code, signal) => {
      for (const { reject } of this.#calls.values()) reject(new Error(`a child ended with ${signal ?? code}`));
      this.#calls.clear();
    });
  }

  /** @param {string} file relative to this folder @param {string[]} [nodeArgs] */
  static async start(file, nodeArgs = []) {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      // Typed arrays cross as they are.
      serialization: 'advanced',
      execArgv: nodeArgs,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) }),
      once(child, 'exit').then(() => [{}]),
    ]);
    if (!message.ready) throw new Error(`${file} did not start`);
    return new Child(child);
  }

  get pid() {
    return this.#process.pid;
  }

  /** @param {string} method @param {unknown} [argument] */
  call(method, argument) {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      this.#process.send({ id, method, argument }, (error) => {
        if (error) reject(error);
      });
    });
  }

  async stop() {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    await exited;
    clearTimeout(late);
  }
}
