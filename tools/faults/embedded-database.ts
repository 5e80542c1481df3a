import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the lines of PostgreSQL's own `postmaster.pid` have. */
const PID_LINE = 0;
const PORT_LINE = 3;

/** The address of the database that the one process keeps in its folder, while it runs. */
export async function readDatabaseUrl(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'postgres');
  const password = (await readFile(`${folder}-password`, 'utf8')).trim();
  const port = (await readPidFile(dataDir))[PORT_LINE]?.trim();
  return `postgresql://sluice:${password}@127.0.0.1:${port}/sluice`;
}

/** The process of that database. */
export async function readPostgresPid(dataDir: string): Promise<number> {
  return Number((await readPidFile(dataDir))[PID_LINE]);
}

async function readPidFile(dataDir: string): Promise<readonly string[]> {
  return (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
}
