import { metricIn } from './metrics';

const TEXT = `# HELP some_total Some.
some_total 3
other_total{place="a b"} 4
other_total{place="c"} 5
some_total_more 100
`;

describe('metricIn', () => {
  it('sums a metric over its labels', () => {
    expect(['some_total', 'other_total', 'nothing'].map((name) => metricIn(TEXT, name))).toEqual([3, 9, 0]);
  });
});
