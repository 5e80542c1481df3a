import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineName, FaultClass } from './fault-class';
import type { ClassOutcome, RunOptions } from './run-class';

/** Runs one class by a process in a network namespace of its own. */
export async function runInOwnNetwork(
  faults: FaultClass,
  engine: EngineName,
  { rounds }: RunOptions,
): Promise<ClassOutcome> {
  const needed = faults[engine]?.needs?.();
  if (needed !== undefined) return { kind: 'left-out', reason: `needs ${needed}`, isMissing: true };
  const folder = await mkdtemp(join(tmpdir(), 'sluice-faults-network-'));
  const outcomeFile = join(folder, 'outcome.json');
  try {
    const command = [process.execPath, join(__dirname, 'faults.mjs'), '--no-set-up', '--in-own-network'];
    const what = ['--class', faults.name, '--engine', engine, '--outcome-file', outcomeFile];
    const count = rounds === undefined ? [] : ['--rounds', String(rounds)];
    const child = spawn('unshare', ['--net', ...command, ...what, ...count], { stdio: 'inherit' });
    await once(child, 'exit');
    const outcome = JSON.parse(await readFile(outcomeFile, 'utf8')) as ClassOutcome;
    await rm(folder, { recursive: true, force: true });
    return outcome;
  } catch (error) {
    return { kind: 'failed', error: String(error), logs: folder };
  }
}
