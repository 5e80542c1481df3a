import { mentions } from './mentions';

it.each([
  ['@AMP', true],
  ['hello @amp!', true],
  ['@Big Brother: look', true],
  ['@ampere @AMP', true],
  ['@ampere', false],
  ['@amp_2 @amp-2', false],
  ['@ampé', false],
  ['amp', false],
  ['@', false],
  ['', false],
])('takes %j as spoken to: %s', (content, expected) => {
  expect(mentions(content, ['AMP', 'Big Brother', ''])).toBe(expected);
});
