import { spawn } from 'node:child_process';
import type { ServerUser } from './server-user';

/** Longest run of a helper program such as initdb. */
const PROGRAM_TIMEOUT_MS = 120_000;

/** The end of the output is what tells the fault. */
const MAX_OUTPUT_LENGTH = 8_000;

export interface ProgramResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end. Rejects when it cannot be started; a signal counts as code 1. */
export function runProgram(file: string, args: readonly string[], user: ServerUser): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...user,
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PROGRAM_TIMEOUT_MS,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT_LENGTH);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: output.trim() }));
  });
}
