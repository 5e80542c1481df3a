import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres, type LocalPostgres } from './local-postgres';

/** PostgreSQL with an empty database, whose files go when it stops: for tests. @throws SluiceError `configuration` */
export async function startTemporaryPostgres(): Promise<Pick<LocalPostgres, 'databaseUrl' | 'stop'>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  // As root, PostgreSQL runs as another user, who has to come here.
  await chmod(dataDir, 0o755);
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const postgres = await startLocalPostgres({ dataDir });
    return {
      databaseUrl: postgres.databaseUrl,
      stop: async () => {
        await postgres.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
