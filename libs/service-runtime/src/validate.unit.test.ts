import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import { MAX_SHOWN_NAME_LENGTH, MAX_WHERE_LENGTH, shownName, validate, type RequestPart } from './validate';

const schema = z.strictObject({
  limit: z.string().transform(Number).optional(),
  list: z.array(z.strictObject({ name: z.string({ error: 'must be text' }) })).optional(),
  byName: z.record(z.string(), z.int({ error: 'must be a whole number' })).optional(),
});

/** What the caller is told. */
function faultOf(value: unknown, part?: RequestPart, of: z.ZodType = schema) {
  try {
    validate(of, value, part);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, message, where } = error;
    return { code, message, where };
  }
  throw new Error('it was let by');
}
const fault = (where: string | undefined, message: string) => ({ code: 'invalid_request', message, where });

it('gives the value as the schema makes it', () => {
  expect(validate(schema, { limit: '5' }, 'query')).toEqual({ limit: 5 });
});

it('names the first fault and where it is', () => {
  const value = { list: [{ name: 'a' }, { name: 1 }, { name: 2 }] };
  expect(faultOf(value, 'body')).toEqual(fault('body.list.1.name', 'body.list.1.name: must be text'));
  expect(faultOf(value)).toEqual(fault('list.1.name', 'list.1.name: must be text'));
});

it('says what is wrong with the whole of it', () => {
  const text = z.string({ error: 'must be text' });
  expect(faultOf(1, 'path', text)).toEqual(fault('path', 'path: must be text'));
  expect(faultOf(1, undefined, text)).toEqual(fault(undefined, 'must be text'));
});

it('names one member that is not known', () => {
  const message = 'query.color: is not known here';
  expect(faultOf({ color: 'red', size: 1 }, 'query')).toEqual(fault('query.color', message));
  expect(faultOf({ list: [{ name: 'a', x: 1 }] }).where).toBe('list.0.x');
});

it.each([
  ['an unknown member', (name: string) => ({ [name]: 1 }), 'body.'],
  ['a key of a record', (name: string) => ({ byName: { [name]: 'x' } }), 'body.byName.'],
])('repeats no more of the name of %s than is good', (_what, valueOf, before) => {
  const name = `${'n'.repeat(MAX_SHOWN_NAME_LENGTH)}secret${'x'.repeat(100_000)}`;
  const { message, where } = faultOf(valueOf(name), 'body');
  expect(where).toBe(`${before}${'n'.repeat(MAX_SHOWN_NAME_LENGTH)}`);
  expect(message).not.toContain('secret');
});

it('tells a short place of a deep fault', () => {
  const deep = Array.from({ length: 1_000 }).reduce<unknown>((inner) => ({ inner }), undefined);
  const nested: z.ZodType = z.lazy(() => z.object({ inner: nested }));
  const { message, where } = faultOf(deep, 'body', nested);
  expect(where).toHaveLength(MAX_WHERE_LENGTH);
  expect(message.length).toBeLessThan(2 * MAX_WHERE_LENGTH);
});

it('lets errors of the schema itself through', () => {
  const cursor = z.string().transform(() => {
    throw new SluiceError('invalid_cursor', 'not ours', { where: 'query.cursor' });
  });
  expect(faultOf('x', 'query', cursor)).toEqual({ code: 'invalid_cursor', message: 'not ours', where: 'query.cursor' });
});

it('shortens a name, and cuts no character in two', () => {
  expect(shownName('limit')).toBe('limit');
  const name = `${'x'.repeat(MAX_SHOWN_NAME_LENGTH - 1)}😀😀`;
  expect(shownName(name)).toBe('x'.repeat(MAX_SHOWN_NAME_LENGTH - 1));
});
