import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processEnvironment } from './config';

const MAIN = join(__dirname, '..', 'dist', 'main.js');
const KEPT_OUTPUT_CHARS = 5_000;

/** The projector as it runs in production: a process of its own. */
export class ProjectorProcess {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    onLine: (line: string) => void,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.output = `${this.output}${line}\n`.slice(-KEPT_OUTPUT_CHARS);
        onLine(line);
      });
    }
  }

  /** @param onLine told of each line that it writes */
  static start(
    env: Readonly<Record<string, string>>,
    onLine: (line: string) => void = () => undefined,
  ): ProjectorProcess {
    const settings = { SLUICE_LOG_LEVEL: 'info', SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_HTTP_PORT: '0' };
    const child = spawn(process.execPath, [MAIN], {
      env: processEnvironment({ ...env, ...settings }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ProjectorProcess(child, onLine);
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
