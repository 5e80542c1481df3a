import type { BlockHeader } from '@sluice/agent-registry';
import type { Endpoint } from '../rpc/endpoint';
import { majority } from '../rpc/agreement';
import type { RpcPool } from '../rpc/pool';
import { headerQuery } from '../rpc/queries';
import type { RpcHeader } from '../rpc/shapes';

type Headers = readonly (RpcHeader | undefined)[];

/** What of a header has to be alike. */
export function digestOfHeader(header: BlockHeader | undefined): string {
  return header === undefined ? '-' : `${header.number} ${header.hash} ${header.parentHash} ${header.timestamp}`;
}

export function digestOfHeaders(headers: Headers): string {
  return headers.map(digestOfHeader).join('\n');
}

/** These headers as one endpoint has them. @throws RpcFailure */
export function askHeaders(endpoint: Endpoint, numbers: readonly number[], signal: AbortSignal): Promise<Headers> {
  return endpoint.all(numbers.map(headerQuery), signal);
}

/** These headers as enough endpoints have them; undefined where there is none. @throws SluiceError `chain_unavailable` */
export async function agreedHeaders(
  pool: RpcPool,
  numbers: readonly number[],
  options: { readonly isSettled: boolean; readonly reaches?: number; readonly signal?: AbortSignal | undefined },
): Promise<Headers> {
  const { isSettled, reaches, signal } = options;
  const { value } = await pool.ask(
    {
      about: 'headers',
      ask: (endpoint, asked) => askHeaders(endpoint, numbers, asked),
      decide: (answers) => majority(answers, pool.needed, digestOfHeaders),
      isSettled,
      rank: ({ head }) => Math.min(head, Math.max(...numbers)),
      ...(reaches === undefined ? {} : { reaches }),
    },
    signal,
  );
  return value;
}

/** A header as it is handed out. */
export function plainHeader({ number, hash, parentHash, timestamp }: RpcHeader): BlockHeader {
  return { number, hash, parentHash, timestamp };
}
