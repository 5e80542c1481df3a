import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Who a child runs as: an ordinary user, also where the tests run as root. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

export function ordinaryUser(): User {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync('/usr/bin/id', [flag, 'nobody']));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

export interface Owner {
  readonly child: ChildProcess;
  readonly answer: { readonly databaseUrl?: string; readonly code?: string; readonly message?: string };
  /** Ends it by a signal; resolves when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const REGISTER = join(__dirname, '../../service-runtime/test/fixtures/register.cjs');

/** Starts the database in a process of its own, and resolves with the first thing that it says. */
export async function startOwner(dataDir: string, user: User = {}): Promise<Owner> {
  const args = ['--conditions=@sluice/source', '-r', REGISTER, join(__dirname, 'owner-main.ts'), dataDir];
  const child = spawn(process.execPath, args, { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  const text: unknown = first.done === true ? '{"message":"it said nothing"}' : first.value;
  return {
    child,
    answer: JSON.parse(String(text)) as Owner['answer'],
    end: async (signal) => {
      child.kill(signal);
      await gone;
    },
  };
}
