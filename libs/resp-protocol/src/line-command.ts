import type { Command } from './command-parser';

/** A command of the line dialect with its parts named. */
export type LineCommand =
  | { readonly kind: 'subscribe'; readonly sandboxId: string; readonly accessToken: string; readonly cursor?: string }
  | { readonly kind: 'resume'; readonly cursor: string }
  | { readonly kind: 'ping' | 'unsubscribe' | 'quit' }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Names the parts of a line command; a wrong shape is `invalid` with a reason that repeats nothing the client sent. */
export function readLineCommand({ name, args }: Pick<Command, 'name' | 'args'>): LineCommand {
  const [first, second, third] = args;
  switch (name) {
    case 'SUBSCRIBE':
      if (first === undefined || second === undefined || args.length > 3) {
        return invalid('usage: SUBSCRIBE <sandboxId> <accessToken> [<cursor>]');
      }
      return {
        kind: 'subscribe',
        sandboxId: first,
        accessToken: second,
        ...(third !== undefined && { cursor: third }),
      };
    case 'RESUME':
      if (first === undefined || args.length > 1) return invalid('usage: RESUME <cursor>');
      return { kind: 'resume', cursor: first };
    case 'PING':
      return args.length > 0 ? invalid('usage: PING') : { kind: 'ping' };
    case 'UNSUBSCRIBE':
      return args.length > 0 ? invalid('usage: UNSUBSCRIBE') : { kind: 'unsubscribe' };
    case 'QUIT':
      return args.length > 0 ? invalid('usage: QUIT') : { kind: 'quit' };
    default:
      return invalid('unknown command');
  }
}

function invalid(reason: string): LineCommand {
  return { kind: 'invalid', reason };
}
