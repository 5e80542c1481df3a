import type { BlockRef } from '@sluice/agent-registry';
import type { Agreement, Answer } from '../rpc/agreement';
import type { Endpoint } from '../rpc/endpoint';
import type { RpcPool } from '../rpc/pool';
import type { RpcHeader } from '../rpc/shapes';
import { askHeaders, digestOfHeader } from './header-reader';

/**
 * The headers from the cursor's number on, `count` more at most, as far as enough endpoints have them alike: whoever is a
 * little behind or on another branch does not hold up what the others agree on. The first one is at the cursor's number; empty:
 * the chain is not that long.
 * @throws SluiceError `chain_unavailable` where they do not agree on the next block
 */
export async function readLinkedHeaders(pool: RpcPool, cursor: BlockRef, count: number): Promise<readonly RpcHeader[]> {
  const numbers = Array.from({ length: count + 1 }, (_, place) => cursor.number + place);
  const { value } = await pool.ask({
    about: `headers from block ${cursor.number}`,
    ask: async (endpoint, signal) => linkedPart(await askHeaders(endpoint, numbers, signal)),
    decide: (answers) => agreedPart(answers, pool.needed, cursor, count),
    reaches: cursor.number,
    // Near the head, two honest endpoints may be on different branches.
    isSettled: false,
  });
  return value;
}

/** As far as they are there and follow on each other: the chain may change while it is read. */
function linkedPart(headers: readonly (RpcHeader | undefined)[]): readonly RpcHeader[] {
  const linked: RpcHeader[] = [];
  for (const header of headers) {
    const before = linked.at(-1);
    if (header === undefined || (before !== undefined && header.parentHash !== before.hash)) break;
    linked.push(header);
  }
  return linked;
}

function agreedPart(
  answers: readonly Answer<readonly RpcHeader[]>[],
  needed: number,
  cursor: BlockRef,
  count: number,
): Agreement<readonly RpcHeader[]> | undefined {
  let together = answers;
  const agreed: RpcHeader[] = [];
  for (let place = 0; place <= count; place += 1) {
    const next = largestGroup(together, place);
    const header = next[0]?.value[place];
    if (header === undefined || next.length < needed) break;
    agreed.push(header);
    together = next;
  }
  const isDecided =
    agreed.length > 1 ||
    (agreed.length === 1 && (count === 0 || agreed[0]?.hash !== cursor.hash)) ||
    together.filter(({ value }) => value.length === agreed.length).length >= needed;
  if (!isDecided) return undefined;
  const dissenting = answers.filter(({ value }) =>
    value.some((header, place) => place < agreed.length && digestOfHeader(header) !== digestOfHeader(agreed[place])),
  );
  return { value: agreed, agreeing: together, dissenting };
}

function largestGroup(
  answers: readonly Answer<readonly RpcHeader[]>[],
  place: number,
): readonly { readonly endpoint: Endpoint; readonly value: readonly RpcHeader[] }[] {
  const groups = new Map<string, Answer<readonly RpcHeader[]>[]>();
  for (const answer of answers) {
    const header = answer.value[place];
    if (header === undefined) continue;
    const digest = digestOfHeader(header);
    groups.set(digest, [...(groups.get(digest) ?? []), answer]);
  }
  return [...groups.values()].reduce((most, group) => (group.length > most.length ? group : most), []);
}
