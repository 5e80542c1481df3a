import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMigrations } from '../src';
import { compareSchema, SCHEMA_FILE } from './compare-schema';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

describe('schema.prisma and the migrations', () => {
  let database: FreshDatabase;
  let folder: string;

  beforeAll(async () => {
    database = await createFreshDatabase();
    await applyMigrations(database.url);
    folder = await mkdtemp(join(tmpdir(), 'sluice-schema-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  it('say the same', async () => {
    expect(await compareSchema(database.url)).toEqual({
      exitCode: 0,
      output: expect.stringContaining('No difference detected.'),
    });
  });

  it('are told apart by a table, a column, a type, nullability, a default or an index', async () => {
    const changes: readonly (readonly [string, string])[] = [
      ['model ApiKey {', 'model Extra {\n  id Int @id\n\n  @@schema("access")\n}\n\nmodel ApiKey {'],
      ['envelope       String', 'envelope       String\n  extra          String?'],
      ['nextIndex BigInt', 'nextIndex Int'],
      ['eventId     String? ', 'eventId     String '],
      ['published    BigInt   @default(0)', 'published    BigInt   @default(1)'],
      ['  @@index([workspaceId, entityId, occurredAt])\n', ''],
    ];
    let text = await readFile(SCHEMA_FILE, 'utf8');
    for (const [from, to] of changes) {
      expect(text).toContain(from);
      text = text.replace(from, to);
    }
    const altered = join(folder, 'schema.prisma');
    await writeFile(altered, text);
    const { exitCode, output } = await compareSchema(database.url, altered);
    expect(exitCode).toBe(2);
    for (const said of [
      'Extra',
      'Added column `extra`',
      'Altered column `next_index`',
      'Altered column `event_id`',
      'Altered column `published`',
      'Removed index on columns (workspace_id, entity_id, occurred_at)',
    ]) {
      expect(output).toContain(said);
    }
  });
});
