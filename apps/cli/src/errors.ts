export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** Ends the command with one line on standard error. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: typeof EXIT_FAILURE | typeof EXIT_USAGE = EXIT_FAILURE,
  ) {
    super(message);
  }
}

/** Why a command is told to end before it is done. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  /** @param exitCode that of a command which it breaks off */
  constructor(readonly exitCode: number) {
    super('Interrupted');
  }
}

/** The command line itself is at fault. */
export function usageError(message: string): CliError {
  return new CliError(message, EXIT_USAGE);
}

interface Fault {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** What a fault says, in one line, with what it comes from: `fetch` says nothing but that it failed. */
export function describeError(error: unknown): string {
  const { cause } = Object(error) as Fault;
  const detail = error instanceof CliError || cause === undefined ? '' : ` (${wordsOf(cause)})`;
  return `${wordsOf(error)}${detail}`.replaceAll(/\s+/g, ' ').trim();
}

function wordsOf(error: unknown): string {
  const { message, code, name } = Object(error) as Fault;
  return String([message, code, name].find((words) => typeof words === 'string' && words !== '') ?? error);
}
