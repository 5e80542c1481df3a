import fc from 'fast-check';
import { safeName } from '../test/arbitraries';
import { eventIdSchema } from './envelope';
import { eventIdFromIdempotencyKey, newEventId } from './ids';

describe('newEventId', () => {
  it('gives distinct ids that the envelope accepts, in the order they were made', () => {
    const ids = Array.from({ length: 2000 }, newEventId);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(eventIdSchema.safeParse(id).success).toBe(true);
  });
});

describe('eventIdFromIdempotencyKey', () => {
  const scope = fc.record({ workspaceId: fc.nat(), family: fc.constantFrom('sandbox', 'session'), entityId: safeName });
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '/', '","', '1', '__proto__'));

  it('gives a key and scope always the same id, one that the envelope accepts', () => {
    fc.assert(
      fc.property(scope, key, (of, text) => {
        const id = eventIdFromIdempotencyKey(of, text);
        expect(eventIdFromIdempotencyKey({ ...of }, text)).toBe(id);
        expect(eventIdSchema.safeParse(id).success).toBe(true);
      }),
    );
  });

  it('gives two keys, or one key in two scopes, two ids (G8)', () => {
    fc.assert(
      fc.property(scope, key, scope, key, (a, keyA, b, keyB) => {
        fc.pre(JSON.stringify([a, keyA]) !== JSON.stringify([b, keyB]));
        expect(eventIdFromIdempotencyKey(a, keyA)).not.toBe(eventIdFromIdempotencyKey(b, keyB));
      }),
    );
    const one = { workspaceId: 1, family: 'sandbox', entityId: 'a' };
    const ids = [
      eventIdFromIdempotencyKey(one, 'k'),
      eventIdFromIdempotencyKey({ ...one, workspaceId: 11 }, 'k'),
      eventIdFromIdempotencyKey({ ...one, family: 'session' }, 'k'),
      eventIdFromIdempotencyKey({ ...one, entityId: 'a","k' }, 'k'),
      eventIdFromIdempotencyKey(one, '\ud800'),
      eventIdFromIdempotencyKey(one, '\ud801'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('never changes: a stored event must be found under the id of its key', () => {
    expect(eventIdFromIdempotencyKey({ workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' }, 'key-1')).toBe(
      '91dff3ad-0b7a-5082-989a-7ad5bf99ed3f',
    );
  });
});
