import { MAX_SESSION_DELTA_LENGTH, sessionDeltaSchema } from '@sluice/event-schema';
import fc from 'fast-check';
import { piecesOf, startDelta, textDeltas } from './delta-frames';

describe('pieces of a text', () => {
  it('are the text, each short enough, and cut through no character', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '😀', 'é') });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 5 }), (whole, maxLength) => {
        const pieces = piecesOf(whole, maxLength);
        expect(pieces.join('')).toBe(whole);
        for (const piece of pieces) {
          expect(piece.length).toBeGreaterThan(0);
          expect(piece.length).toBeLessThanOrEqual(maxLength);
          expect(Buffer.from(piece).toString()).toBe(piece);
        }
      }),
    );
  });

  it('are deltas as their schema has them', () => {
    const deltas = [startDelta('agent.message', 'm'), ...textDeltas('m', 3, '😀'.repeat(MAX_SESSION_DELTA_LENGTH))];
    expect(deltas).toHaveLength(3);
    for (const delta of deltas) expect(sessionDeltaSchema.parse(delta)).toEqual(delta);
  });
});
