import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newApiKeyText } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { startLocalPostgres } from '@sluice/local-postgres';
import type { Fallbacks, readBasics } from './config';

export interface DataFolder {
  readonly fallbacks: Fallbacks;
  close(): Promise<void>;
}

interface Secrets {
  readonly tokenSecret: string;
  readonly operatorKey: string;
}

/** Makes what the environment does not give: a database and secrets, kept in the data folder from start to start. */
export async function prepareDataFolder(basics: ReturnType<typeof readBasics>): Promise<DataFolder> {
  const { SLUICE_DATA_DIR: dataDir, SLUICE_ENGINE: engine } = basics;
  const secrets = await readOrMakeSecrets(dataDir);
  const needsDatabase = engine === 'embedded' && basics.SLUICE_DATABASE_URL === undefined;
  const postgres = needsDatabase
    ? await startLocalPostgres({ dataDir, onProgress: (line) => void process.stdout.write(`${line}\n`) })
    : undefined;
  return {
    fallbacks: {
      SLUICE_TOKEN_SECRETS: secrets.tokenSecret,
      SLUICE_OPERATOR_KEYS: secrets.operatorKey,
      ...(postgres === undefined ? {} : { SLUICE_DATABASE_URL: postgres.databaseUrl }),
    },
    close: async () => postgres?.stop(),
  };
}

async function readOrMakeSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  try {
    await mkdir(dataDir, { recursive: true });
    if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Secrets;
    const secrets: Secrets = { tokenSecret: randomBytes(32).toString('hex'), operatorKey: newApiKeyText() };
    await writeFile(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 });
    await rename(`${file}.new`, file);
    return secrets;
  } catch (error) {
    throw new SluiceError('configuration', `The data folder ${dataDir} cannot be used: ${String(error)}`, {
      cause: error,
    });
  }
}
