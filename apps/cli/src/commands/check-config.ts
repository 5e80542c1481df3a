import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, usageError } from '../errors';
import { printable } from '../printable';
import type { Terminal } from '../terminal';

/** An app says within this time whether its settings are good. */
const CHECK_TIMEOUT_MS = 20_000;

/** Output of an app that is read. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** Checks this environment against the settings of one app, or of all. @throws CliError when one does not accept it. */
export async function checkConfig(terminal: Terminal, appsFolder: string, app?: string): Promise<void> {
  const known = readdirSync(appsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'cli')
    .map(({ name }) => name)
    .sort();
  if (app !== undefined && !known.includes(app))
    throw usageError(`No app is called ${JSON.stringify(app)}: ${known.join(', ')}`);
  const built = known.filter((name) => existsSync(mainOf(appsFolder, name)));
  const chosen = app === undefined ? built : [app];
  if (chosen.length === 0 || (app !== undefined && !built.includes(app))) {
    throw new CliError(`${app ?? 'No app'} is ${app === undefined ? '' : 'not '}built; run npm run build first`);
  }
  let failures = 0;
  for (const name of chosen) {
    const fault = await askApp(mainOf(appsFolder, name));
    if (fault === undefined) await terminal.print(`${name}: ok`);
    else {
      failures++;
      terminal.complain(`${name}: ${printable(fault)}`);
    }
  }
  if (failures > 0) throw new CliError(`${failures} of ${chosen.length} configurations are not good`);
}

const mainOf = (folder: string, app: string) => join(folder, app, 'dist', 'main.js');

/** What is wrong; undefined when the app accepts its environment. */
function askApp(main: string): Promise<string | undefined> {
  const options = { timeout: CHECK_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, '--check-config'], options, (error, stdout, stderr) => {
      const said = stderr.trim().split('\n').slice(0, 5).join(' ');
      if (error) resolve(error.killed ? 'does not answer to --check-config' : said || error.message);
      else resolve(stdout.trim() === 'ok' ? undefined : 'does not answer to --check-config');
    });
  });
}
