import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDescribedProcess, type DescribedProcess } from '../schema-export/described-process';
import { parseObjects, ROOT } from './rendered';

const K8S = join(ROOT, 'k8s');
const WORDS = /\b(?:sluice|process|nodejs)_[a-z0-9_]+/g;

/** Parsed YAML and JSON, which tests may look into. */
type Parsed = ReturnType<typeof JSON.parse>;

const read = (...path: string[]) => readFileSync(join(K8S, ...path), 'utf8');
const parsed = (...path: string[]): Parsed => parseObjects(read(...path))[0];

/** What only exists with brokers, or with certificates: its names are read from the source. */
function configuredMetrics(): readonly string[] {
  const files = [
    'engine/src/engine-signals.ts',
    'engine/src/coordination-signals.ts',
    'service-runtime/src/signals.ts',
  ];
  return files.flatMap((file) =>
    [...readFileSync(join(ROOT, 'libs', file), 'utf8').matchAll(/: '(sluice_[a-z_]+)'/g)].map(([, name]) =>
      String(name),
    ),
  );
}

let running: DescribedProcess;
/** Names as queries have them: a histogram has three. */
const exported = new Set<string>();

beforeAll(async () => {
  running = await startDescribedProcess();
  const text = await (await fetch(`${running.url}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name: String(name), type }));
  for (const name of configuredMetrics()) {
    const isHistogram = name.endsWith('_seconds') && !name.endsWith('_expiry_seconds');
    types.push({ name, type: isHistogram ? 'histogram' : 'other' });
  }
  for (const { name, type } of types) {
    const endings = type === 'histogram' ? ['_bucket', '_count', '_sum'] : [''];
    for (const ending of endings) exported.add(`${name}${ending}`);
  }
});

afterAll(() => running.stop());

const unknownIn = (text: string) => [...new Set(text.match(WORDS) ?? [])].filter((name) => !exported.has(name));

describe('what is observed', () => {
  it('tells names that no app exports', () => {
    expect(exported.size).toBeGreaterThan(100);
    expect(unknownIn('rate(sluice_http_request_duration_seconds_count[1m]) / sluice_nothing_total')).toEqual([
      'sluice_nothing_total',
    ]);
    expect(unknownIn('sluice_http_request_duration_seconds')).not.toEqual([]);
  });

  it('alerts on metrics that the apps export', () => {
    const { groups } = parsed('observability', 'alerts.yaml').spec;
    const rules: { alert: string; expr: string }[] = groups.flatMap((group: { rules: object[] }) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr } of rules) expect({ alert, unknown: unknownIn(expr) }).toEqual({ alert, unknown: [] });
  });

  it('shows metrics that the apps export', () => {
    const { panels } = JSON.parse(read('observability', 'dashboard.json'));
    const queries = panels.flatMap(({ title, targets = [] }: Parsed) =>
      targets.map(({ expr }: Parsed) => ({ title, expr })),
    );
    expect(queries.length).toBeGreaterThan(20);
    for (const { title, expr } of queries) expect({ title, unknown: unknownIn(expr) }).toEqual({ title, unknown: [] });
  });
});

describe('what is scaled on', () => {
  const { rules } = parsed('observability', 'prometheus-adapter.yaml');
  const madeBy = (kind: 'custom' | 'external'): string[] =>
    rules[kind].map(({ name, seriesQuery }: Parsed) => name?.as ?? /^\w+/.exec(seriesQuery)?.[0]);

  it('is made from metrics that the apps export', () => {
    for (const { seriesQuery } of [...rules.custom, ...rules.external]) expect(unknownIn(seriesQuery)).toEqual([]);
  });

  it('is what the rules of the adapter make', () => {
    const apps = readdirSync(join(K8S, 'base'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const scalers = apps.flatMap(({ name }) =>
      readdirSync(join(K8S, 'base', name)).includes('hpa.yaml') ? [parsed('base', name, 'hpa.yaml')] : [],
    );
    const named = (kind: 'pods' | 'external'): string[] =>
      scalers.flatMap(({ spec }) =>
        spec.metrics.flatMap((each: Parsed) => (each[kind] === undefined ? [] : [each[kind].metric.name])),
      );
    expect(new Set(named('pods'))).toEqual(new Set(madeBy('custom')));
    expect(new Set(named('external'))).toEqual(new Set(madeBy('external')));
  });
});
