import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Which line of PostgreSQL's own `postmaster.pid` has the port. */
const PORT_LINE = 3;

/** The address of the database that the one process keeps in its folder, while it runs. */
export async function readDatabaseUrl(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'postgres');
  const password = (await readFile(`${folder}-password`, 'utf8')).trim();
  const port = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[PORT_LINE]?.trim();
  return `postgresql://sluice:${password}@127.0.0.1:${port}/sluice`;
}
