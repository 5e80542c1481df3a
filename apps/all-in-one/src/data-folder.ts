import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isApiKeyText, MIN_SECRET_BYTES, newApiKeyText } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { keepFile, makeFolder, startLocalPostgres } from '@sluice/local-postgres';
import { z } from 'zod';
import type { Fallbacks, readBasics } from './config';

export interface DataFolder {
  readonly fallbacks: Fallbacks;
  close(): Promise<void>;
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
      SLUICE_SECRETS_KEY: secrets.sealingKey,
      SLUICE_FILES_DIR: join(dataDir, 'files'),
      ...(postgres === undefined ? {} : { SLUICE_DATABASE_URL: postgres.databaseUrl }),
    },
    close: async () => postgres?.stop(),
  };
}

async function readOrMakeSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  try {
    await makeFolder(dataDir);
    const kept = existsSync(file) ? parseSecrets(file, await readFile(file, 'utf8')) : undefined;
    if (kept?.sealingKey !== undefined) return { ...kept, sealingKey: kept.sealingKey };
    // A folder of before secrets were kept gets the key that seals them.
    const made = { tokenSecret: randomBytes(32).toString('hex'), operatorKey: newApiKeyText(), ...kept };
    const secrets = { ...made, sealingKey: randomBytes(32).toString('base64') };
    await keepFile(file, JSON.stringify(secrets));
    return secrets;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError('configuration', `The data folder ${dataDir} cannot be used: ${reason}`, { cause: error });
  }
}

const secretsSchema = z.object({
  tokenSecret: z.string().min(MIN_SECRET_BYTES),
  operatorKey: z.string().refine(isApiKeyText),
  /** Seals what is secret in the database. */
  sealingKey: z.base64().length(44).optional(),
});

type KeptSecrets = Readonly<z.infer<typeof secretsSchema>>;
type Secrets = Required<KeptSecrets>;

/** Never made anew over a damaged file: the tokens that are out would end without a word. */
function parseSecrets(file: string, text: string): KeptSecrets {
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${file} is damaged: restore it, or remove it to make new secrets (access tokens given out so far end)`;
    throw new SluiceError('configuration', message, { cause: error });
  }
}
