import { SluiceError } from '@sluice/event-log';
import type { Service } from './service';
import { redactText } from './redact';

type ProcessEvent = 'SIGTERM' | 'SIGINT' | 'uncaughtException' | 'unhandledRejection';

/** What `runMain` needs of the process. */
export interface MainHost {
  on(event: ProcessEvent, listener: (reason: unknown) => void): void;
  exit(code: number): void;
  writeError(line: string): void;
}

const processHost: MainHost = {
  on: (event, listener) => void process.on(event, listener),
  exit: (code) => process.exit(code),
  writeError: (line) => void process.stderr.write(`${line}\n`),
};

/** How long a process that is told to stop waits for a creation that has not ended, so that it can be undone in order. */
export const CREATION_GRACE_MS = 5_000;

/**
 * The life of a process: create, start, run until SIGTERM or SIGINT, destroy, exit 0. A second signal exits 1 at once.
 * A creation that has not ended `CREATION_GRACE_MS` after the signal is left behind: nothing was served yet. A failure to start is one line on standard error and exit 1; an error that nobody caught is logged and exits 1.
 */
export async function runMain(create: () => Promise<Service>, host: MainHost = processHost): Promise<void> {
  let service: Service | undefined;
  let isStopping = false;
  let creationGrace: NodeJS.Timeout | undefined;

  const die = (reason: unknown): void => {
    if (service) service.logger.error('fatal', { error: reason });
    else host.writeError(describeFailure(reason));
    host.exit(1);
  };
  const stop = (): void => {
    if (isStopping) {
      host.exit(1);
      return;
    }
    isStopping = true;
    if (service) {
      void service.destroy().then(() => host.exit(0), die);
      return;
    }
    // There is nothing to destroy yet: that is done as soon as there is, unless it takes too long.
    creationGrace = setTimeout(() => {
      host.writeError('stopped while it was being created');
      host.exit(0);
    }, CREATION_GRACE_MS);
  };
  host.on('SIGTERM', stop);
  host.on('SIGINT', stop);
  host.on('uncaughtException', die);
  host.on('unhandledRejection', die);

  try {
    service = await create().finally(() => clearTimeout(creationGrace));
    if (isStopping) {
      await service.destroy();
      host.exit(0);
      return;
    }
    await service.start();
  } catch (error) {
    // A start that a signal broke off is no failure; the signal's own destroy ends the process.
    if (isStopping && service) return;
    host.writeError(describeFailure(error));
    host.exit(isStopping ? 0 : 1);
  }
}

/**
 * Why a process could not start, in one line without credentials. Bad configuration says it all itself; of another error
 * of ours the cause is what its reader needs.
 */
export function describeFailure(error: unknown): string {
  if (!(error instanceof SluiceError)) return `could not start: ${oneLine(error)}`;
  if (error.code === 'configuration') return oneLine(error);
  return `could not start: ${oneLine(error)}${error.cause === undefined ? '' : ` (${oneLine(error.cause)})`}`;
}

/** Several connection attempts that failed have a code in place of a message. */
function oneLine(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  const spare = typeof code === 'string' ? code : String(error);
  const text = error instanceof Error ? error.message || spare : spare;
  return redactText(text).replaceAll(/\s+/g, ' ').trim();
}
