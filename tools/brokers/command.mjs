import { spawn } from 'node:child_process';

const OUTPUT_LIMIT_CHARS = 64 * 1024;

/** A failure that one line explains to the person at the terminal. */
export class BrokerError extends Error {
  name = 'BrokerError';
}

/**
 * Runs a command to its end.
 *
 * Resolves with the exit code and the last 64 Ki characters of its output; never rejects for a
 * non-zero code. Rejects with a `BrokerError` that has `missing: true` where the program is not installed.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ timeoutMs: number } & import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function run(file, args, { timeoutMs, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...options,
    });
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_LIMIT_CHARS);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (error) => {
      const missing = error.code === 'ENOENT';
      const text = missing ? `\`${file}\` is not installed` : `\`${file}\` cannot be run: ${error.message}`;
      reject(Object.assign(new BrokerError(text), { missing }));
    });
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** The last lines of a text, for an error message. */
export function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
