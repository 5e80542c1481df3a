import { randomBytes } from 'node:crypto';
import { SecretBox, type SecretPlace } from './secret-box';

const place: SecretPlace = { workspaceId: 1, id: 'vcrd_1', field: 'token' };
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];

it('opens what it sealed, and seals the same secret otherwise each time', () => {
  const box = new SecretBox([newKey]);
  const sealed = box.seal('gute Nacht ✓', place);
  expect(sealed).not.toContain('Nacht');
  expect(box.open(sealed, place)).toBe('gute Nacht ✓');
  expect(box.seal('gute Nacht ✓', place)).not.toBe(sealed);
  expect(box.open(box.seal('', place), place)).toBe('');
});

it.each<[string, SecretPlace]>([
  ['another workspace', { ...place, workspaceId: 2 }],
  ['another thing', { ...place, id: 'vcrd_2' }],
  ['another field', { ...place, field: 'access_token' }],
])('does not open what was sealed for %s', (_, other) => {
  const box = new SecretBox([newKey]);
  expect(() => box.open(box.seal('s', place), other)).toThrow(expect.objectContaining({ code: 'internal' }));
});

it('opens nothing that was changed or cut', () => {
  const box = new SecretBox([newKey]);
  const [form, keyId, data = ''] = box.seal('secret', place).split('.');
  const bytes = Buffer.from(data, 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => box.open([form, keyId, changed.toString('base64url')].join('.'), place)).toThrow();
    expect(() => box.open([form, keyId, bytes.subarray(0, at).toString('base64url')].join('.'), place)).toThrow();
  }
  expect(() => box.open('secret', place)).toThrow(expect.objectContaining({ code: 'internal' }));
});

it('seals by the first key and opens by each, so that keys can be changed', () => {
  const before = new SecretBox([oldKey]).seal('old', place);
  const changed = new SecretBox([newKey, oldKey]);
  expect(changed.open(before, place)).toBe('old');
  const after = changed.seal('new', place);
  expect(new SecretBox([newKey]).open(after, place)).toBe('new');
  expect(() => new SecretBox([oldKey]).open(after, place)).toThrow(expect.objectContaining({ code: 'configuration' }));
});

it('refuses to keep anything without a key, and keys of a wrong length', () => {
  expect(() => new SecretBox([]).seal('s', place)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  expect(() => new SecretBox([randomBytes(31)])).toThrow(expect.objectContaining({ code: 'configuration' }));
});
