import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExportedMetrics } from './exported-metrics';
import { Query } from './promql';
import { parseObjects, ROOT } from './rendered';

const K8S = join(ROOT, 'k8s');

/** Parsed YAML and JSON, which tests may look into. */
type Parsed = ReturnType<typeof JSON.parse>;

const read = (...path: string[]) => readFileSync(join(K8S, ...path), 'utf8');
const parsed = (...path: string[]): Parsed => parseObjects(read(...path))[0];

let metrics: ExportedMetrics;
beforeAll(async () => {
  metrics = await ExportedMetrics.read();
});

/** The labels that a text names, and that what the query finds does not have. */
function lackingIn(text: string, word: RegExp, query: Query): readonly string[] {
  const labels = query.labels();
  return [...text.matchAll(word)].map(([, label]) => String(label)).filter((label) => !labels.has(label));
}

const alertRules = (): Parsed[] =>
  parsed('observability', 'alerts.yaml').spec.groups.flatMap(({ rules }: Parsed) => rules);

describe('what is observed', () => {
  it('is known: all metrics of the apps', () => {
    expect(metrics.names.length).toBeGreaterThan(150);
    expect(metrics.names).toEqual(
      expect.arrayContaining(['sluice_coordination_shared', 'sluice_tls_certificate_expiry_seconds', 'up']),
    );
  });

  it('is what alerts ask for, by labels that there are', () => {
    const rules = alertRules();
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    const faults = rules.map(({ alert, expr, annotations }) => {
      const query = new Query(expr, metrics);
      const lacking = lackingIn(JSON.stringify(annotations), /\$labels\.(\w+)/g, query);
      return { alert, faults: [...query.faults(), ...lacking.map((label) => `is told with a label ${label}`)] };
    });
    expect(faults.filter((each) => each.faults.length > 0)).toEqual([]);
  });

  it('is that of Sluice alone, where an alert asks for what other targets have as well', () => {
    const chosen = alertRules().flatMap(({ alert, expr }) =>
      new Query(expr, metrics).selectors().map((selector) => ({ alert, ...selector })),
    );
    const shared = chosen.filter(({ metric }) => !metric.startsWith('sluice_'));
    expect(shared.length).toBeGreaterThan(10);
    const isOurs = { label: 'app_kubernetes_io_part_of', operator: '=', value: 'sluice' };
    for (const { alert, metric, matchers } of shared)
      expect({ alert, metric, matchers }).toEqual({ alert, metric, matchers: expect.arrayContaining([isOurs]) });
  });

  it('is what the dashboard shows, by labels that there are', () => {
    const { panels, templating } = JSON.parse(read('observability', 'dashboard.json'));
    const shown: Parsed[] = panels.flatMap(({ title, targets = [] }: Parsed) =>
      targets.map((target: Parsed) => ({ title, ...target })),
    );
    expect(shown.length).toBeGreaterThan(20);
    const faults = shown.map(({ title, expr, legendFormat = '' }) => {
      const query = new Query(expr, metrics);
      const lacking = lackingIn(legendFormat, /\{\{(\w+)\}\}/g, query);
      return { title, faults: [...query.faults(), ...lacking.map((label) => `is named by a label ${label}`)] };
    });
    expect(faults.filter((each) => each.faults.length > 0)).toEqual([]);
    for (const { type, query } of templating.list) {
      if (type !== 'query') continue;
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query.query) ?? [];
      expect(metrics.labelsOf(metric)).toContain(label);
    }
  });
});

describe('what is scaled on', () => {
  const { rules } = parsed('observability', 'prometheus-adapter.yaml');
  const all: Parsed[] = [...rules.custom, ...rules.external];
  const metricOf = ({ seriesQuery }: Parsed) => /^\w+/.exec(seriesQuery)?.[0] ?? '';
  const madeBy = (kind: 'custom' | 'external'): string[] =>
    rules[kind].map((rule: Parsed) => rule.name?.as ?? metricOf(rule));
  const apps = readdirSync(join(K8S, 'base'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const scalers = apps.flatMap(({ name }) =>
    readdirSync(join(K8S, 'base', name)).includes('hpa.yaml') ? [parsed('base', name, 'hpa.yaml')] : [],
  );
  const asked = (kind: 'pods' | 'external'): Parsed[] =>
    scalers.flatMap(({ spec }) =>
      spec.metrics.flatMap((each: Parsed) => (each[kind] === undefined ? [] : [each[kind].metric])),
    );

  it('is made from metrics that the apps export, by labels that there are', () => {
    const faults = all.map((rule) => {
      const labels = Object.keys(rule.resources.overrides);
      const filled = String(rule.metricsQuery)
        .replaceAll('<<.Series>>', metricOf(rule))
        .replaceAll('<<.LabelMatchers>>', labels.map((label) => `${label}="x"`).join())
        .replaceAll('<<.GroupBy>>', labels.join());
      const queries = [new Query(rule.seriesQuery, metrics), new Query(filled, metrics)];
      return { metric: metricOf(rule), faults: queries.flatMap((query) => query.faults()) };
    });
    expect(faults.filter((each) => each.faults.length > 0)).toEqual([]);
  });

  it('is what the rules of the adapter make', () => {
    const named = (kind: 'pods' | 'external') => new Set(asked(kind).map(({ name }) => name));
    expect(named('pods')).toEqual(new Set(madeBy('custom')));
    expect(named('external')).toEqual(new Set(madeBy('external')));
  });

  it('is chosen by labels that there are', () => {
    for (const { name, selector } of [...asked('pods'), ...asked('external')]) {
      const rule = all.find((each) => (each.name?.as ?? metricOf(each)) === name);
      for (const label of Object.keys(selector?.matchLabels ?? {}))
        expect(metrics.labelsOf(metricOf(rule))).toContain(label);
    }
  });
});
