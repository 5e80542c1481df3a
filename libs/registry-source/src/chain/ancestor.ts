import type { BlockHeader, BlockRef } from '@sluice/agent-registry';
import type { RpcPool } from '../rpc/pool';
import { UNKNOWN_PARENT_HASH } from '../source';
import { agreedHeaders } from './header-reader';

/** Blocks that are looked at together first: reorganisations are rarely deeper. */
const FIRST_LOOK = 32;

export interface Ancestor {
  readonly ancestor: BlockRef | undefined;
  /** The newest block that was looked at is not on the chain. Undefined: none could be looked at. */
  readonly hasVanished: boolean | undefined;
}

/** Where one can go back to, in ascending order: the journaled blocks and what the oldest of them was built on. */
function targetsOf(journaled: readonly BlockHeader[]): readonly BlockRef[] {
  const [oldest] = journaled;
  if (oldest === undefined || oldest.number === 0 || oldest.parentHash === UNKNOWN_PARENT_HASH) return journaled;
  return [{ number: oldest.number - 1, hash: oldest.parentHash }, ...journaled];
}

/** The newest of these blocks that is on the chain, which is at least `head` long. @throws SluiceError `chain_unavailable` */
export async function findAncestor(pool: RpcPool, journaled: readonly BlockHeader[], head: number): Promise<Ancestor> {
  const targets = targetsOf(journaled).filter(({ number }) => number <= head);
  const newest = targets.at(-1);
  if (newest === undefined) return { ancestor: undefined, hasVanished: undefined };
  const areOnChain = async (refs: readonly BlockRef[]): Promise<readonly boolean[]> => {
    const numbers = refs.map(({ number }) => number);
    const headers = await agreedHeaders(pool, numbers, { isSettled: false, reaches: newest.number });
    return refs.map(({ hash }, place) => headers[place]?.hash === hash);
  };
  const shallow = targets.slice(-FIRST_LOOK);
  const found = await areOnChain(shallow);
  const at = found.lastIndexOf(true);
  if (at >= 0) return { ancestor: shallow[at], hasVanished: at < shallow.length - 1 };
  // What is below a block of the chain is on the chain as well: the border is found by halving.
  const deep = targets.slice(0, -shallow.length);
  let onChain = -1;
  for (let vanished = deep.length; vanished - onChain > 1;) {
    const middle = Math.floor((onChain + vanished) / 2);
    const ref = deep[middle];
    if (ref !== undefined && (await areOnChain([ref]))[0] === true) onChain = middle;
    else vanished = middle;
  }
  return { ancestor: deep[onChain], hasVanished: true };
}
