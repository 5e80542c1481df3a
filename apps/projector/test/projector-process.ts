import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { processEnvironment } from './config';

const MAIN = join(__dirname, '..', 'dist', 'main.js');
const KEPT_OUTPUT_CHARS = 5_000;

/** The projector as it runs in production: a process of its own. */
export class ProjectorProcess {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS);
      });
    }
  }

  static start(env: Readonly<Record<string, string>>): ProjectorProcess {
    const settings = { SLUICE_LOG_LEVEL: 'info', SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_HTTP_PORT: '0' };
    const child = spawn(process.execPath, [MAIN], {
      env: processEnvironment({ ...env, ...settings }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ProjectorProcess(child);
  }

  /** @throws Error when it ended by itself */
  assertRuns(): void {
    if (this.child.exitCode !== null) throw new Error(`it ended: ${this.output}`);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}
