import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { environmentWith } from './config';

const PROJECT = join(__dirname, '..');
const ROOT = join(PROJECT, '../..');
export const SCHEMA_FILE = join(PROJECT, 'prisma/schema.prisma');

/** What Prisma Migrate's own command says about a database and a schema. */
export interface Comparison {
  /** 0: the same; 2: they differ. */
  readonly exitCode: number;
  readonly output: string;
}

/** Compares a database with a schema file of Prisma. */
export function compareSchema(databaseUrl: string, schema = SCHEMA_FILE): Promise<Comparison> {
  const command = [
    join(ROOT, 'node_modules/prisma/build/index.js'),
    ...['migrate', 'diff', '--from-config-datasource', '--to-schema', schema, '--exit-code'],
  ];
  const env = environmentWith({
    SLUICE_DATABASE_URL: databaseUrl,
    PRISMA_SCHEMA_ENGINE_BINARY: join(ROOT, 'tools/schema-engine.mjs'),
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  });
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: PROJECT, env }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output: stdout + stderr });
    });
  });
}
