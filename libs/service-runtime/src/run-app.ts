import { describeFailure, runMain } from './run-main';
import type { Service } from './service';

/** The argument that makes an app say whether its settings are good, and do nothing else. */
export const CHECK_CONFIG_FLAG = '--check-config';

/** Where `checkConfig` says what it found. */
export interface CheckOutput {
  writeLine(line: string): void;
  writeError(line: string): void;
}

const processOutput: CheckOutput = {
  writeLine: (line) => void process.stdout.write(`${line}\n`),
  writeError: (line) => void process.stderr.write(`${line}\n`),
};

/**
 * The whole `main` of an app: reads its configuration, then lives as `runMain` says. With `--check-config` among the
 * arguments it reads the configuration, says `ok` or what is wrong in one line, and ends with exit code 0 or 1.
 *
 * @param readConfig reads the environment and starts nothing. @throws SluiceError `configuration`
 */
export async function runApp<Config>(
  readConfig: () => Config,
  create: (config: Config) => Promise<Service>,
): Promise<void> {
  if (process.argv.slice(2).includes(CHECK_CONFIG_FLAG)) {
    // Not `process.exit`, which would cut off output that is still on its way.
    process.exitCode = checkConfig(readConfig);
    return;
  }
  await runMain(async () => create(readConfig()));
}

/**
 * Reads the configuration and says `ok` on standard output, or why not in one line on standard error. Credentials are
 * left out of that line.
 *
 * @returns the exit code: 0 or 1
 */
export function checkConfig(readConfig: () => unknown, output: CheckOutput = processOutput): 0 | 1 {
  try {
    readConfig();
  } catch (error) {
    output.writeError(describeFailure(error));
    return 1;
  }
  output.writeLine('ok');
  return 0;
}
