import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NatsCoordinationOptions } from '../options';

const REGISTER = join(__dirname, '../../../service-runtime/test/fixtures/register.cjs');

/** What a child is started with. */
export interface ChildTask {
  readonly options: NatsCoordinationOptions;
  /** Slots to take. */
  readonly key: string;
  readonly limit: number;
  readonly slots: number;
  /** Joins this group of workspace 1, and prints its size whenever it changes. */
  readonly group?: string;
}

/** A line that a child prints. */
export type ChildNews = { readonly held: number } | { readonly present: number };

/** A replica in a process of its own, so that it can be killed or frozen. */
export class ChildReplica {
  /** How many slots it holds, as it said last. */
  held: number | undefined;
  /** How many are present, as it saw last. */
  present: number | undefined;

  private constructor(private readonly child: ChildProcess) {}

  static start(task: ChildTask): ChildReplica {
    const args = [
      '--conditions=@sluice/source',
      '-r',
      REGISTER,
      join(__dirname, 'child-main.ts'),
      JSON.stringify(task),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const replica = new ChildReplica(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      Object.assign(replica, JSON.parse(line) as ChildNews);
    });
    return replica;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.child.kill(signal);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}
