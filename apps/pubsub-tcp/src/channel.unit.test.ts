import { decodeCursor } from '@sluice/event-log';
import { matchedChannel, readChannel, readSandboxId, sandboxIdOf } from './channel';

const CURSOR = '1-0a1b2c3d-z9';

describe('readChannel', () => {
  it.each([
    ['box-1', 'box-1', 'latest'],
    ['box-1@earliest', 'box-1', 'earliest'],
    ['box-1@latest', 'box-1', 'latest'],
    [`box-1@${CURSOR}`, 'box-1', decodeCursor(CURSOR)],
    ['me@home', 'me@home', 'latest'],
    [`me@home@${CURSOR}`, 'me@home', decodeCursor(CURSOR)],
    ['*@earliest', '*', 'earliest'],
    ['', '', 'latest'],
  ])('reads %j', (text, name, start) => {
    expect(readChannel(text)).toEqual({ name, start });
  });

  it.each(['box-1@1-', 'box-1@1-nonsense', 'box-1@2-0a1b2c3d-z9', `box-1@${CURSOR}!`])('refuses %j', (text) => {
    expect(() => readChannel(text)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
  });
});

describe('the sandbox of a channel', () => {
  it('is named with or without the prefix', () => {
    expect(sandboxIdOf('box-1')).toBe('box-1');
    expect(sandboxIdOf('sandbox:box-1')).toBe('box-1');
    expect(sandboxIdOf('sandbox:sandbox:box-1')).toBe('sandbox:box-1');
  });

  it.each(['', 'sandbox:', 'x'.repeat(300), 'two words'])('is refused when it cannot be one: %.20j', (text) => {
    expect(() => sandboxIdOf(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('is taken as it is in the line dialect', () => {
    expect(readSandboxId('sandbox:box-1')).toBe('sandbox:box-1');
  });
});

describe('matchedChannel', () => {
  const is = (name: string) => (text: string) => text === name;

  it('tries the plain name first, then the prefixed one', () => {
    expect(matchedChannel(() => true, 'a')).toBe('a');
    expect(matchedChannel(is('sandbox:a'), 'a')).toBe('sandbox:a');
    expect(matchedChannel(is('b'), 'a')).toBeUndefined();
  });

  it('gives a name that means this sandbox when subscribed to', () => {
    const channel = matchedChannel(() => true, 'sandbox:a');
    expect(channel).toBe('sandbox:sandbox:a');
    expect(sandboxIdOf(channel ?? '')).toBe('sandbox:a');
  });
});
