import { spawn, type ChildProcess } from 'node:child_process';
import { until } from '@sluice/event-log/conformance';

const TIMEOUT_MS = 120_000;

/** A program of somebody else, and what it prints. */
export class Program {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += String(chunk)));
    }
    child.on('error', (error) => (this.output += error.message));
  }

  static run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    return new Program(spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Everything printed so far, errors too. */
  get printed(): string {
    return this.output;
  }

  /** Waits until it has printed a text. @throws Error with what it printed instead */
  async untilPrinted(text: string): Promise<void> {
    await until(() => this.output.includes(text), `"${text}" is printed`, TIMEOUT_MS).catch((error: unknown) => {
      throw new Error(`printed instead: ${this.output.slice(-2_000)}`, { cause: error });
    });
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}
