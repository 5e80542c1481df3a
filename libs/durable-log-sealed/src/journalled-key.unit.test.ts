import type { JournalledKey } from '@sluice/event-log';
import { fromJournal, TICK, toJournalEntry } from './journalled-key';

const KEY: JournalledKey = {
  keyId: '018f3f3e-0000-7000-8000-0123456789ab',
  entity: { workspaceId: 7, family: 'session', entityId: 'sesn_1' },
  generation: 3,
  key: new Uint8Array(32).fill(9),
};
const { key: _, ...DESTROYED } = KEY;

const valueOf = (changes: Record<string, unknown>) => {
  const line = JSON.parse(new TextDecoder().decode(toJournalEntry(KEY).value)) as Record<string, unknown>;
  return new TextEncoder().encode(JSON.stringify({ ...line, ...changes }));
};

it.each([
  ['a key', KEY],
  ['that it is destroyed', DESTROYED],
])('gives back %s, under the id of the key', (_name, key) => {
  const entry = toJournalEntry(key);
  expect(entry.key).toBe(KEY.keyId);
  const read = fromJournal(entry.value);
  expect({ ...read, ...(read?.key && { key: new Uint8Array(read.key) }) }).toEqual(key);
});

it('reads what a later version adds', () => {
  expect(fromJournal(valueOf({ more: true }))?.keyId).toBe(KEY.keyId);
});

it.each([
  ['another version', { version: 2 }],
  ['no id', { keyId: undefined }],
  ['an id that is none', { keyId: 'key-1' }],
  ['another spelling of an id', { keyId: KEY.keyId.toUpperCase() }],
  ['no workspace', { workspaceId: null }],
  ['a number that no column has room for', { workspaceId: 2 ** 31 }],
  ['another family', { family: 'none' }],
  ['an entity that is no text', { entityId: 1 }],
  ['half a generation', { generation: 0.5 }],
  ['a generation before the first', { generation: -1 }],
  ['a generation that no column has room for', { generation: 2 ** 31 }],
  ['a key that is too short', { key: Buffer.alloc(31).toString('base64') }],
  ['a key that is too long', { key: Buffer.alloc(33).toString('base64') }],
  ['an empty key', { key: '' }],
  ['a key that is no text', { key: null }],
  ['a key that is not in base64', { key: `*${Buffer.alloc(32).toString('base64')}` }],
])('refuses %s', (_name, changes) => {
  expect(() => fromJournal(valueOf(changes))).toThrow(Error);
});

it('leaves out what only keeps the journal moving', () => {
  expect(fromJournal(new Uint8Array(TICK.value))).toBeUndefined();
});

it('refuses what is no JSON object', () => {
  for (const text of ['', 'null', '[]', '{']) expect(() => fromJournal(new TextEncoder().encode(text))).toThrow(Error);
});
