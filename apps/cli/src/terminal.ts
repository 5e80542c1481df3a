import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { CliError, Interruption } from './errors';

/** What the commands need of the process, so that tests can stand in for it. */
export interface Terminal {
  readonly isTerminal: boolean;
  /** Writes a line to standard output; resolves when more can be written. @throws CliError when it cannot be written */
  print(line: string): Promise<void>;
  /** Writes a line to standard error. */
  complain(line: string): void;
  /** All of standard input, as text. @throws CliError when it is too much or no text */
  readInput(): Promise<string>;
  /** Aborted with an `Interruption` when the user or the reader of the output wants no more. */
  readonly stopped: AbortSignal;
}

/** What a real terminal is made of. */
export interface ProcessStreams {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}

/** Most bytes that are read from standard input: far more than an event may have. */
const MAX_INPUT_BYTES = 4 * 1024 * 1024;

/** What shells say of a command that a signal ended: 128 and the signal's number. */
const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The real one. It is stopped by SIGINT, by SIGTERM, and when nobody reads the output any more. */
export function processTerminal({ stdin, stdout, stderr }: ProcessStreams = process): Terminal {
  const stopper = new AbortController();
  const { signal: stopped } = stopper;
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXIT_CODES)) {
    process.once(signal, () => stopper.abort(new Interruption(exitCode)));
  }
  const onClosed = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') stopper.abort(new Interruption(0));
  };
  stdout.on('error', onClosed);
  stderr.on('error', onClosed);
  return {
    isTerminal: stdout.isTTY === true,
    stopped,
    print: (line) =>
      new Promise((resolve, reject) => {
        if (stopped.aborted) {
          resolve();
          return;
        }
        const done = (error?: NodeJS.ErrnoException | null): void => {
          stopped.removeEventListener('abort', give);
          if (error && error.code !== 'EPIPE') reject(new CliError(`The output cannot be written: ${error.message}`));
          else resolve();
        };
        const give = (): void => done();
        stopped.addEventListener('abort', give);
        stdout.write(`${line}\n`, done);
      }),
    complain: (line) => void stderr.write(`${line}\n`),
    readInput: () => readText(addAbortSignal(stopped, stdin)),
  };
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) throw new CliError(`Standard input has more than ${MAX_INPUT_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new CliError('Standard input is no UTF-8 text');
  }
}
