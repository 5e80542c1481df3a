// Brings the database to the schema of this image and ends: `node migrate.mjs`. For a Job that runs before apps that have
// SLUICE_DATABASE_MIGRATE=false. Any number of them may run at once. Needs SLUICE_DATABASE_URL alone.
import { hostSettings } from '@sluice/engine';
import { applyMigrations } from '@sluice/read-model';
import { parseSettings, readEnv, redactText } from '@sluice/service-runtime';
import { readAppEnvironment } from './config.mjs';

const { SLUICE_DATABASE_URL } = hostSettings({ httpPort: 0 });
const settings = { SLUICE_DATABASE_URL };

try {
  const { SLUICE_DATABASE_URL: databaseUrl } = parseSettings(settings, readEnv(settings, readAppEnvironment()));
  if (databaseUrl === undefined) throw new Error('SLUICE_DATABASE_URL is required');
  const applied = await applyMigrations(databaseUrl);
  process.stdout.write(applied.length === 0 ? 'nothing to do\n' : applied.map((name) => `applied ${name}\n`).join(''));
} catch (error) {
  const reasons = [error.message, error.cause?.message ?? error.cause?.code].filter(Boolean);
  process.stderr.write(`${redactText(reasons.join(': '))}\n`);
  process.exitCode = 1;
}
