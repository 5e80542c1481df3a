import { isClean, judge, type Written } from './judge';
import { Sightings } from './sightings';

/** Two entities: of `a` all three are acknowledged, of `b` the first, and a second was tried. */
const written: Written = {
  acknowledged: new Map([
    ['a', [0, 1, 2]],
    ['b', [0]],
  ]),
  attempted: new Map([
    ['a', 3],
    ['b', 2],
  ]),
};

function shown(...events: readonly string[]): Sightings {
  const sightings = new Sightings('here');
  for (const event of events) sightings.add({ entity: event.slice(0, 1), n: Number(event.slice(1)) });
  return sightings;
}

const verdictOf = (...events: readonly string[]) => judge(written, shown(...events), ['a', 'b']);

describe('judge', () => {
  it('finds nothing where every acknowledged event came once and in order', () => {
    expect(isClean(verdictOf('a0', 'b0', 'a1', 'a2'))).toBe(true);
  });

  it('lets an event that was not acknowledged come once, or not at all', () => {
    expect(isClean(verdictOf('a0', 'a1', 'a2', 'b0', 'b1'))).toBe(true);
  });

  it('finds a lost event', () => {
    expect(verdictOf('a0', 'a2', 'b0')).toMatchObject({ lost: 1, doubled: 0, misordered: 0, examples: ['lost a:1'] });
  });

  it('finds that everything is lost where nothing came', () => {
    expect(verdictOf()).toMatchObject({ lost: 4 });
  });

  it('finds the loss of the last event', () => {
    expect(verdictOf('a0', 'a1', 'b0')).toMatchObject({ lost: 1, examples: ['lost a:2'] });
  });

  it('finds each repetition', () => {
    expect(verdictOf('a0', 'a1', 'a1', 'a1', 'a2', 'b0')).toMatchObject({ lost: 0, doubled: 2, misordered: 0 });
  });

  it('finds the repetition of an event that was not acknowledged', () => {
    expect(verdictOf('a0', 'a1', 'a2', 'b0', 'b1', 'b1')).toMatchObject({ doubled: 1, examples: ['doubled b:1'] });
  });

  it('finds an event that came late', () => {
    expect(verdictOf('a0', 'a2', 'a1', 'b0')).toMatchObject({ lost: 0, doubled: 0, misordered: 1 });
  });

  it('finds an event of an entity that the place is not to show', () => {
    expect(judge(written, shown('a0', 'a1', 'a2', 'b0'), ['a'])).toMatchObject({
      invented: 1,
      examples: ['invented b:0'],
    });
  });

  it('keeps no order between entities', () => {
    expect(isClean(verdictOf('b0', 'a0', 'a1', 'a2'))).toBe(true);
  });

  it('finds an event that nobody wrote', () => {
    expect(verdictOf('a0', 'a1', 'a2', 'b0', 'a3', 'c0')).toMatchObject({ lost: 0, invented: 2 });
  });

  it('asks a place only for the entities that it shows', () => {
    expect(isClean(judge(written, shown('b0'), ['b']))).toBe(true);
  });
});

describe('Sightings', () => {
  it('has what came without a gap, whatever came behind the gap', () => {
    const sightings = shown('a0', 'a1', 'a3');
    expect([1, 2, 3].map((n) => sightings.hasUpTo({ entity: 'a', n }))).toEqual([true, false, false]);
    sightings.add({ entity: 'a', n: 2 });
    expect(sightings.hasUpTo({ entity: 'a', n: 3 })).toBe(true);
  });

  it('counts beyond its first size', () => {
    const sightings = new Sightings('here');
    for (let n = 0; n < 2_000; n++) sightings.add({ entity: 'a', n });
    sightings.add({ entity: 'a', n: 1_999 });
    expect([sightings.timesOf({ entity: 'a', n: 1_999 }), sightings.timesOf({ entity: 'a', n: 2_000 })]).toEqual([
      2, 0,
    ]);
    expect(sightings.sizeOf('a')).toBe(2_000);
  });
});
