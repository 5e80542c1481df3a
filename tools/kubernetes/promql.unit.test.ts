import { Query, type KnownMetrics } from './promql';

const LABELS: Readonly<Record<string, readonly string[]>> = {
  lost_total: ['namespace', 'pod', 'what'],
  late_total: ['namespace', 'pod', 'what'],
  seconds_bucket: ['namespace', 'pod', 'le'],
  lag: ['namespace', 'pod'],
  up: ['namespace', 'pod', 'service'],
};

const metrics: KnownMetrics = {
  labelsOf: (name) => (LABELS[name] ? new Set(LABELS[name]) : undefined),
  isCounted: (name) => /_(total|bucket)$/.test(name),
  isThereAtStart: (name, matchers) => name !== 'late_total' && matchers.every(({ value }) => value !== 'later'),
};

it.each([
  ['sum by (namespace, what) (increase(lost_total{what!="x"}[15m])) > 0', ['namespace', 'what']],
  ['lag > 30 and on (namespace) (up == 1)', ['namespace', 'pod']],
  ['lag / on (namespace) group_left (service) up', ['namespace', 'pod', 'service']],
  ['lag * on (namespace, pod) up', ['namespace', 'pod']],
  ['histogram_quantile(0.99, sum by (pod, le) (rate(seconds_bucket[5m])))', ['pod']],
  ['sum without (pod) (up) or vector(0)', []],
  ['sum(lag) / sum(up) > 0.5', []],
  ['up == 0 or absent(up{service="query"})', ['service']],
  ['label_replace(group by (namespace) (lag), "service", "x", "", "")', ['namespace', 'service']],
  ['topk(3, lag offset 5m) - time()', ['namespace', 'pod']],
])('finds no fault in %s, and its labels', (text, labels) => {
  const query = new Query(text, metrics);
  expect(query.faults()).toEqual([]);
  expect([...query.labels()].sort()).toEqual(labels);
});

it.each([
  ['sum by (pod (lag)', /cannot be parsed from character 12 on/],
  ['rate(lost_total[5m]', /cannot be parsed/],
  ['lag + nothing', /nobody exports nothing/],
  ['lag{what="x"}', /lag has no label what/],
  ['sum by (namespace, what) (lag)', /nothing in .* has a label what/],
  ['sum without (le) (lag)', /has a label le/],
  ['sum by (pod) (sum by (namespace) (lag))', /has a label pod/],
  ['lag and on (service) lost_total', /has a label service/],
  ['rate(lag[5m])', /rate of lag, which is no counter/],
  ['increase(lost_total)', /increase of lost_total without a range/],
  ['increase(late_total[5m])', /late_total is not there before it is counted for the first time/],
  ['increase(lost_total{what="later"}[5m])', /lost_total\{what="later"\} is not there before/],
])('finds the fault in %s', (text, fault) => {
  expect(new Query(text, metrics).faults().join()).toMatch(fault);
});

it('tells what is chosen, and by which matchers', () => {
  expect(new Query('sum(lag{pod=~"a|b"}) - time()', metrics).selectors()).toEqual([
    { metric: 'lag', matchers: [{ label: 'pod', operator: '=~', value: 'a|b' }] },
  ]);
});
