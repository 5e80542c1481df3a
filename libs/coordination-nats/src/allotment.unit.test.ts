import fc from 'fast-check';
import { allot, isSameHeld, sumOf, viewOf, withOwn } from './allotment';

const claims = (limits: readonly number[]) => limits.map((limit, id) => ({ limit, id }));
const limits = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 12 });

describe('allot', () => {
  it('gives slots to the oldest, then who waits, up to the limit', () => {
    const [held, waiting] = [claims([10, 10, 10, 10]), claims([10, 10, 10])];
    expect(allot(4, 4, held, waiting)).toMatchObject({ count: 6, lost: [], granted: waiting.slice(0, 2) });
    expect(allot(8, 1, held, waiting)).toMatchObject({ count: 2, lost: held.slice(2), refused: waiting });
    expect(allot(10, 0, held, waiting)).toMatchObject({ count: 0, lost: held, granted: [] });
    expect(allot(10, 4, held, waiting)).toMatchObject({ count: 4, lost: [], refused: waiting });
  });

  it('counts no slot that was given back', () => {
    expect(allot(0, 5, claims([10, 10]), []).count).toBe(2);
  });

  it('never goes beyond a limit by what it adds, and forgets nobody', () => {
    fc.assert(
      fc.property(fc.nat(10), fc.nat(12), limits, limits, (elsewhere, secured, heldLimits, waitingLimits) => {
        const [held, waiting] = [claims(heldLimits), claims(waitingLimits)];
        const { count, lost, granted, refused } = allot(elsewhere, secured, held, waiting);
        expect(count).toBe(held.length - lost.length + granted.length);
        expect([...granted, ...refused].sort((a, b) => a.id - b.id)).toEqual(waiting);
        const kept = held.slice(Math.min(secured, held.length)).filter((slot) => !lost.includes(slot));
        const last = [...kept, ...granted].at(-1);
        if (last !== undefined) expect(elsewhere + count).toBeLessThanOrEqual(last.limit);
      }),
    );
  });
});

describe('viewOf', () => {
  it('tells own slots, under whichever id, from those of others', () => {
    const held = new Map(Object.entries({ now: 2, before: 3, other: 4 }));
    const view = viewOf({ key: 'k', held }, (replica) => replica !== 'other');
    expect(view).toEqual({ secured: 5, elsewhere: new Map([['other', 4]]) });
    expect(sumOf(withOwn(view.elsewhere, 'new', 6))).toBe(10);
    expect(withOwn(view.elsewhere, 'new', 0)).toEqual(view.elsewhere);
    expect(isSameHeld(withOwn(view.elsewhere, 'new', 6), new Map(Object.entries({ new: 6, other: 4 })))).toBe(true);
    expect(isSameHeld(held, new Map([...held, ['now', 3]]))).toBe(false);
  });
});
