import { effectsOf, formatEffects, shortfalls } from './effect';

describe('shortfalls', () => {
  it('finds nothing where each effect was felt', () => {
    expect(shortfalls([{ what: 'packets dropped', count: 1 }])).toEqual([]);
    expect(shortfalls([{ what: 'connections cut', count: 300, atLeast: 300 }])).toEqual([]);
  });

  it('finds a fault that nobody felt', () => {
    expect(shortfalls([{ what: 'packets dropped', count: 0 }])).toEqual([
      'the fault was not done: packets dropped: 0, not 1',
    ]);
  });

  it('finds a fault that was done by half', () => {
    expect(shortfalls([{ what: 'connections cut', count: 299, atLeast: 300 }])).toHaveLength(1);
    expect(
      shortfalls([
        { what: 'packets dropped to the broker', count: 12 },
        { what: 'packets dropped from the broker', count: 0 },
      ]),
    ).toEqual(['the fault was not done: packets dropped from the broker: 0, not 1']);
  });

  it('takes what could not be counted for nothing', () => {
    expect(shortfalls([{ what: 'packets dropped', count: Number.NaN }])).toHaveLength(1);
  });

  it('takes no effects at all for a fault that was not done', () => {
    expect(shortfalls([])).toEqual(['nothing shows that the fault was done']);
  });
});

describe('effectsOf', () => {
  const effects = [{ what: 'records parked', count: 70 }];

  it('reads effects that are there, and those that can be seen only later', async () => {
    expect(await effectsOf(effects)).toBe(effects);
    expect(await effectsOf(() => Promise.resolve(effects))).toBe(effects);
  });

  it('shows them in a line', () => {
    expect(formatEffects([...effects, { what: 'packets dropped', count: 3 }])).toBe(
      'records parked: 70, packets dropped: 3',
    );
  });
});
