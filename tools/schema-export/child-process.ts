import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { root } from './descriptions.cjs';

/** Lets plain Node run the TypeScript sources. */
const REGISTER = join(root, 'libs', 'service-runtime', 'test', 'fixtures', 'register.cjs');

/** An app in a process of its own, run from its sources, and everything that it writes. */
export class AppProcess {
  private output = '';
  /** The exit code, when it has ended. */
  readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exited = new Promise((resolve) => child.once('close', resolve));
  }

  /** @param env the whole of its environment but the path */
  static run(app: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): AppProcess {
    const main = join(root, 'apps', app, 'src', 'main.ts');
    const node = ['--conditions=@sluice/source', '-r', REGISTER, main, ...args];
    return new AppProcess(
      spawn(process.execPath, node, {
        cwd: root,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Standard output and standard error, as they came. */
  get written(): string {
    return this.output;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  end(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
