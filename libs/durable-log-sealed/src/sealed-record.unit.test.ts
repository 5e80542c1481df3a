import { randomBytes, randomUUID } from 'node:crypto';
import { isSealed, readSealedHeader } from '@sluice/event-log';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { KEY_BYTES, openRecord, sealEvent, type RecordKey } from './sealed-record';

const hostile = { text: 'zero \u0000, lone \ud800, emoji 🐚, "quotes"\r\n', ['__proto__x']: [1, null, 0.1] };
const envelope = sandboxEnvelope({ entityId: '語🐚', data: hostile });
const { workspaceId, family, entityId } = envelope.event;
const key: RecordKey = { keyId: randomUUID(), entity: { workspaceId, family, entityId }, key: randomBytes(KEY_BYTES) };

function open(value: Uint8Array, by = key): string | undefined {
  const header = readSealedHeader(value);
  const text = header && openRecord(value, header, by);
  return text && Buffer.from(text).toString();
}

it('gives back the text, byte for byte, and shows nothing of it', () => {
  const sealed = sealEvent(envelope, key);
  expect(open(sealed)).toBe(envelope.json);
  expect(Buffer.from(sealed).includes('quotes')).toBe(false);
  expect(isSealed(sealed)).toBe(true);
  expect(isSealed(Buffer.from(envelope.json))).toBe(false);
});

it('tells in the clear what is found by: its key, the event, its entity and its time', () => {
  expect(readSealedHeader(sealEvent(envelope, key))).toEqual({
    keyId: key.keyId,
    eventId: envelope.event.id,
    entity: key.entity,
    occurredAt: envelope.event.occurredAt,
  });
});

it('seals the same text otherwise each time', () => {
  expect(Buffer.from(sealEvent(envelope, key)).equals(Buffer.from(sealEvent(envelope, key)))).toBe(false);
});

it('opens nothing that was changed, cut or made longer, wherever', () => {
  const sealed = Buffer.from(sealEvent(envelope, key));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(open(changed)).toBeUndefined();
    expect(open(sealed.subarray(0, at))).toBeUndefined();
  }
  expect(open(Buffer.concat([sealed, Buffer.from([0])]))).toBeUndefined();
});

it('opens by no other key, nor by one of another entity', () => {
  const sealed = sealEvent(envelope, key);
  expect(open(sealed, { ...key, key: randomBytes(KEY_BYTES) })).toBeUndefined();
  for (const other of [{ workspaceId: 2 }, { family: 'session' as const }, { entityId: 'other' }]) {
    expect(open(sealed, { ...key, entity: { ...key.entity, ...other } })).toBeUndefined();
  }
});

it('takes other bytes for what they are', () => {
  for (const bytes of [[], [1], [1, 2, 3], [...Buffer.from('{"id":1}')], [...randomBytes(200)].with(0, 1)]) {
    const value = Uint8Array.from(bytes);
    const header = readSealedHeader(value);
    expect(header && openRecord(value, header, key)).toBeUndefined();
  }
});
