import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const BROKERS = resolve(__dirname, '../../../../tools/brokers/cli.mjs');

interface Started {
  readonly SLUICE_TEST_NATS_URL: string;
  readonly natsPid: number;
}

interface Restart {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly wipeData: boolean;
}

/** A NATS server that belongs to one test file, so that it can be killed. */
export class OwnServer {
  private constructor(
    readonly url: string,
    private readonly pid: number,
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async start(): Promise<OwnServer> {
    const args = [BROKERS, '--need', 'nats', '--source', 'process', '--control'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { SLUICE_TEST_NATS_URL: url, natsPid } = await nextAnswer<Started>(lines);
    return new OwnServer(url, natsPid, child, lines);
  }

  /** The server answers nothing, and keeps its connections. Only before its first restart. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends the server and starts it on the same port; resolves when it serves again. */
  async restart({ signal, wipeData }: Restart): Promise<void> {
    this.child.stdin.write(`restart nats ${signal}${wipeData ? ' wipe' : ''}\n`);
    const answer = await nextAnswer<{ ok: boolean; error?: string }>(this.lines);
    if (!answer.ok) throw new Error(`The server did not come back: ${answer.error}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolveEnded) => this.child.once('exit', resolveEnded));
    this.child.stdin.end();
    await ended;
  }
}

async function nextAnswer<T>(lines: AsyncIterator<string>): Promise<T> {
  const line = await lines.next();
  if (line.done) throw new Error('The brokers tool ended early');
  return JSON.parse(line.value) as T;
}
