import { readLineCommand } from './line-command';

describe('readLineCommand', () => {
  it.each([
    ['SUBSCRIBE', ['s', 't'], { kind: 'subscribe', sandboxId: 's', accessToken: 't' }],
    ['SUBSCRIBE', ['s', 't', 'c'], { kind: 'subscribe', sandboxId: 's', accessToken: 't', cursor: 'c' }],
    ['RESUME', ['c'], { kind: 'resume', cursor: 'c' }],
    ['PING', [], { kind: 'ping' }],
    ['UNSUBSCRIBE', [], { kind: 'unsubscribe' }],
    ['QUIT', [], { kind: 'quit' }],
  ])('reads %s %j', (name, args, expected) => {
    expect(readLineCommand({ name, args })).toEqual(expected);
  });

  it.each([
    ['SUBSCRIBE', []],
    ['SUBSCRIBE', ['s']],
    ['SUBSCRIBE', ['s', 't', 'c', 'd']],
    ['RESUME', []],
    ['RESUME', ['c', 'd']],
    ['PING', ['x']],
    ['UNSUBSCRIBE', ['x']],
    ['QUIT', ['x']],
    ['GET', ['/']],
    ['', []],
  ])('refuses %s %j', (name, args) => {
    expect(readLineCommand({ name, args }).kind).toBe('invalid');
  });
});
