import { SluiceError } from '@sluice/event-log';
import { redactText } from '@sluice/service-runtime';

/** The argument that makes a main say whether its settings are good, and do nothing else. */
export const CHECK_CONFIG_FLAG = '--check-config';

/**
 * Reads the configuration and says `ok` on standard output, or why not in one line on standard error.
 * @returns the exit code: 0 or 1
 */
export function checkConfig(read: () => unknown): 0 | 1 {
  try {
    read();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    process.stderr.write(`${redactText(error.message).replaceAll(/\s+/g, ' ')}\n`);
    return 1;
  }
  process.stdout.write('ok\n');
  return 0;
}
