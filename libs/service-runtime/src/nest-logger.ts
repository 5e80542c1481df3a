import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger';

/** Nest's own lines as lines of the service; its start-up chatter is `debug`. */
export function nestLogger(logger: Logger): LoggerService {
  const fields = (rest: readonly unknown[]) => {
    const context = rest.at(-1);
    return typeof context === 'string' ? { context } : {};
  };
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    verbose: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(String(message), fields(rest)),
    error: (message: unknown, ...rest: unknown[]) =>
      logger.error(message instanceof Error ? message.message : String(message), {
        ...fields(rest),
        ...(message instanceof Error && { error: message }),
      }),
    fatal: (message: unknown, ...rest: unknown[]) => logger.error(String(message), fields(rest)),
  };
}
