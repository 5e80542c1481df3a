/** What the commands need of the process, so that tests can stand in for it. */
export interface Terminal {
  readonly isTerminal: boolean;
  /** Writes a line to standard output; resolves when more can be written. */
  print(line: string): Promise<void>;
  /** Writes a line to standard error. */
  complain(line: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Aborted when the user or the reader of the output wants no more. */
  readonly stopped: AbortSignal;
}

/** Most bytes that are read from standard input: far more than an event may have. */
const MAX_INPUT_BYTES = 4 * 1024 * 1024;

/** The real one. SIGINT, SIGTERM and a closed output end a command without a fault. */
export function processTerminal(): Terminal {
  const { stdout, stderr, stdin } = process;
  const stopper = new AbortController();
  const stop = (): void => stopper.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  stdout.on('error', stop);
  stderr.on('error', stop);
  return {
    isTerminal: stdout.isTTY === true,
    stopped: stopper.signal,
    print: (line) =>
      new Promise((resolve) => {
        if (stopper.signal.aborted || stdout.write(`${line}\n`)) {
          resolve();
          return;
        }
        const done = (): void => {
          stdout.off('drain', done);
          stopper.signal.removeEventListener('abort', done);
          resolve();
        };
        stdout.once('drain', done);
        stopper.signal.addEventListener('abort', done);
      }),
    complain: (line) => void stderr.write(`${line}\n`),
    readInput: async () => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_INPUT_BYTES) throw new Error(`Standard input has more than ${MAX_INPUT_BYTES} bytes`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}
