import { decodeCursor } from '@sluice/event-log';
import { channelOf, isPrefixedPattern, readChannel, readSandboxId, sandboxIdOf } from './channel';

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

describe('the channel that a pattern sees', () => {
  it('is prefixed for patterns that are', () => {
    expect(isPrefixedPattern('sandbox:*')).toBe(true);
    expect(isPrefixedPattern('sandbox*')).toBe(false);
    expect(channelOf('a', true)).toBe('sandbox:a');
    expect(channelOf('a', false)).toBe('a');
  });

  it('is a name that means this sandbox when subscribed to', () => {
    for (const id of ['a', 'sandbox:a']) {
      for (const isPrefixed of [true, false]) expect(sandboxIdOf(channelOf(id, isPrefixed))).toBe(id);
    }
  });
});
