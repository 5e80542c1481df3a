// Makes the secrets of a development stack, once, in the data folder that its containers share: `node dev-secrets.mjs`.
//   sluice.env          settings for the apps, which read the file that SLUICE_ENV_FILE names
//   postgres-password   for PostgreSQL
// The next start finds them there. Who removes that volume removes the one of the database as well, or its password is lost.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readStackConfig } from './config.mjs';
import { readOrMakeSecrets } from './dev-file.mjs';

const { folder } = readStackConfig();
const passwordFile = join(folder, 'postgres-password');

const { tokenSecret, operatorKey, sealingKey } = await readOrMakeSecrets(folder);
// For everybody in the containers that have this folder: PostgreSQL runs as a user of its own.
if (!existsSync(passwordFile)) await write(passwordFile, randomBytes(24).toString('hex'), 0o444);
const password = await readFile(passwordFile, 'utf8');
const settings = {
  SLUICE_DATABASE_URL: `postgresql://sluice:${password}@postgres:5432/sluice`,
  SLUICE_TOKEN_SECRETS: tokenSecret,
  SLUICE_OPERATOR_KEYS: operatorKey,
  SLUICE_SECRETS_KEY: sealingKey,
};
const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
await write(join(folder, 'sluice.env'), lines.join(''), 0o400);

/** In two steps, so that a start that is broken off leaves no half. */
async function write(file, text, mode) {
  await writeFile(`${file}.new`, text, { mode });
  await rename(`${file}.new`, file);
}
