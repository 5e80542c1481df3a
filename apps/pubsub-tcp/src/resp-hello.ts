import type { RespVersion } from '@sluice/resp-protocol';
import { RespRefusal, syntaxError } from './resp-refusal';

/** What HELLO asks for. */
export interface Hello {
  /** Undefined: as it is. */
  readonly version: RespVersion | undefined;
  readonly credential: string | undefined;
  readonly clientName: string | undefined;
}

/** Reads `[<version> [AUTH <user> <token>] [SETNAME <name>]]`. @throws RespRefusal */
export function readHello(args: readonly string[], clientNameLength: number): Hello {
  const [versionText, ...options] = args;
  if (versionText !== undefined && versionText !== '2' && versionText !== '3') {
    throw new RespRefusal('unsupported protocol version', 'NOPROTO');
  }
  let credential: string | undefined;
  let clientName: string | undefined;
  for (let at = 0; at < options.length;) {
    const [option = '', first, second] = options.slice(at, at + 3);
    if (option.toUpperCase() === 'AUTH' && first !== undefined && second !== undefined) {
      credential = second;
      at += 3;
    } else if (option.toUpperCase() === 'SETNAME' && first !== undefined) {
      clientName = first.slice(0, clientNameLength);
      at += 2;
    } else {
      throw syntaxError();
    }
  }
  return { version: versionText === undefined ? undefined : versionText === '3' ? 3 : 2, credential, clientName };
}
