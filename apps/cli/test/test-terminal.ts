import type { Environment } from '../src/config';
import { Interruption } from '../src/errors';
import { runCli } from '../src/program';
import type { Terminal } from '../src/terminal';

/** A terminal whose output is kept. */
export class TestTerminal implements Terminal {
  readonly out: string[] = [];
  readonly errors: string[] = [];
  private readonly stopper = new AbortController();
  private readonly waiting: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(
    readonly isTerminal = false,
    private readonly input = '',
  ) {}

  get stopped(): AbortSignal {
    return this.stopper.signal;
  }

  async print(line: string): Promise<void> {
    this.out.push(line);
    this.look();
  }

  complain(line: string): void {
    this.errors.push(line);
    this.look();
  }

  async readInput(): Promise<string> {
    return this.input;
  }

  /** As Ctrl-C does. */
  stop(): void {
    this.stopper.abort(new Interruption(130));
  }

  /** Resolves when what was written satisfies the condition; the test's own time limit ends a wait in vain. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ condition, resolve }));
  }

  private look(): void {
    for (const { condition, resolve } of this.waiting) if (condition()) resolve();
  }
}

/** Runs a command line to its end. */
export async function run(args: readonly string[], env: Environment = {}, terminal = new TestTerminal()) {
  const exitCode = await runCli(args, { SLUICE_DATA_DIR: '/nowhere', ...env }, terminal);
  return { exitCode, out: terminal.out, errors: terminal.errors };
}
