import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const TOOL_TIMEOUT_MS = 60_000;
/** Where administrators' programs are, which not every PATH names. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin'];

/** Runs a program of the system to its end; resolves with what it prints. @throws Error with what it says against it */
export async function runTool(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(pathOf(file) ?? file, [...args], { timeout: TOOL_TIMEOUT_MS });
  return stdout;
}

/** What is missing where processes are looked at in `/proc`; undefined on Linux. */
export function notLinux(): string | undefined {
  return process.platform === 'linux' ? undefined : 'Linux';
}

/** What is missing of root and these programs, in a few words; undefined where all is there. */
export function missingTools(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => pathOf(program) === undefined);
  const other = notLinux();
  if (other !== undefined) return other;
  if (process.getuid?.() !== 0) return 'root';
  return missing.length === 0 ? undefined : missing.join(', ');
}

function pathOf(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
