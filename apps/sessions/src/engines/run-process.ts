import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { tellFirstLines } from './first-lines';

/** A user of the system. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

export interface RunProcessOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whom it runs as; by default the user of this process, who can read the memory and the environment of it. */
  readonly user?: ProcessUser | undefined;
  /** Told of what it writes to its standard error, at most `MAX_LOGGED_LINES`. */
  readonly onLine: (line: string) => void;
  /** How long it may take to end by itself, and then after SIGTERM. */
  readonly graceMs: number;
}

/** Lines of a process that go to the log; what it writes beyond is dropped. */
export const MAX_LOGGED_LINES = 100;
/** Characters of one of them. */
const MAX_LINE_LENGTH = 1_000;

/** A process that leaves more unread is ended. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** How a process ended, in words: by its code, by a signal, or because it could not be started. */
export type ProcessEnd = string;

/** One process, which is told lines of JSON by its standard input, and its descendants. */
export class RunProcess {
  private readonly child: ChildProcess;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  private hasEnded = false;

  constructor(private readonly options: RunProcessOptions) {
    const [program = '', ...args] = options.command;
    this.child = spawn(program, args, {
      env: { ...options.environment },
      ...options.user,
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own, so that its descendants are ended with it.
      detached: true,
    });
    // Who has ended reads no more: that is told by its end.
    this.child.stdin?.on('error', () => undefined);
    if (this.child.stderr) {
      tellFirstLines(this.child.stderr, {
        maxLines: MAX_LOGGED_LINES,
        maxLineLength: MAX_LINE_LENGTH,
        onLine: options.onLine,
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        // Where programs are is for the log only.
        options.onLine(error.message);
        resolve('could not be started');
      });
      this.child.once('exit', (code, signal) =>
        resolve(signal === null ? `ended with code ${code ?? 0}` : `ended by ${signal}`),
      );
    });
    void this.ended.then(() => (this.hasEnded = true));
  }

  /** False when it leaves too much unread. */
  tell(message: object): boolean {
    const { stdin } = this.child;
    if (stdin?.writable !== true) return true;
    stdin.write(`${JSON.stringify(message)}\n`);
    return stdin.writableLength <= MAX_UNREAD_BYTES;
  }

  /** Lets it end by itself, then asks it to, then kills it. Resolves when it has ended. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.endsWithin(this.options.graceMs)) break;
      this.kill(signal);
    }
    await this.ended;
    // What it left behind.
    this.kill('SIGKILL');
  }

  private async endsWithin(durationMs: number): Promise<boolean> {
    const timer = new AbortController();
    const late = pause(durationMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.ended, late]);
    timer.abort();
    return this.hasEnded;
  }

  private kill(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // There is nobody left in its group.
    }
  }
}
