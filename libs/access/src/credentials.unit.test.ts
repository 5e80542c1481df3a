import { readCredentials } from './credentials';

it.each([
  [{}, {}],
  [{ 'x-api-key': 'sk_a' }, { apiKey: 'sk_a' }],
  [{ 'x-api-key': ['sk_a', 'sk_b'] }, { apiKey: 'sk_a, sk_b' }],
  [{ authorization: 'Bearer abc' }, { bearer: 'abc' }],
  [{ authorization: 'bearer   abc ' }, { bearer: 'abc' }],
  [{ authorization: 'Basic abc' }, {}],
  [{ authorization: 'Bearer' }, {}],
  [{ authorization: 'Bearer a b' }, {}],
  [{ authorization: '' }, {}],
])('reads %j', (headers, expected) => {
  expect(readCredentials(headers)).toEqual({ apiKey: undefined, bearer: undefined, ...expected });
});

it('reads a huge header in no time', () => {
  const authorization = `Bearer ${' '.repeat(1_000_000)}`;
  expect(readCredentials({ authorization }).bearer).toBe(authorization);
});
