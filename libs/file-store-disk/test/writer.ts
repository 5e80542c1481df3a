import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const REGISTER = join(__dirname, '../../service-runtime/test/fixtures/register.cjs');

/** Runs a process that stores `7/whole`, and kills it amid the put of `7/begun`. */
export async function killAmidPut(folder: string): Promise<void> {
  const args = ['--conditions=@sluice/source', '-r', REGISTER, join(__dirname, 'writer-main.ts'), folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line === 'begun') child.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGKILL']);
}
