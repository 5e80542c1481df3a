import { REPUTATION, ScriptedChain, eventLog, registration, type ScriptedLog } from './scripted-chain';
import { RpcRefusal, type Script } from './scripted-rpc';

export const AGENTS = 100;
export const CROWDED = 3;

/** Block 3 has so many agents, ten in a transaction, and one revocation. */
export function crowdedChain(): ScriptedChain {
  const chain = new ScriptedChain().addEmpty(1);
  chain.add(registration(1_000));
  chain.addEmpty(1);
  const crowd: ScriptedLog[] = Array.from({ length: AGENTS }, (_, place) => ({
    ...registration(place),
    transaction: Math.floor(place / 10),
  }));
  chain.add(...crowd, {
    ...eventLog(REPUTATION, 'feedbackRevoked', {
      agentId: 1n,
      clientAddress: `0x${'c'.repeat(40)}`,
      feedbackIndex: 1n,
    }),
    transaction: 10,
  });
  chain.add(registration(1_001));
  return chain;
}

/** No answer has more than so many logs; `refused` methods are not known. */
export function capped(most: number, ...refused: string[]): Script {
  return {
    answer: (call, honest) => {
      if (refused.includes(call.method)) throw new RpcRefusal(-32601, `the method ${call.method} does not exist`);
      const result = honest();
      if (call.method === 'eth_getLogs' && (result as unknown[]).length > most) {
        throw new RpcRefusal(-32005, `query returned more than ${most} results`);
      }
      return result;
    },
  };
}

export type BlocksOfLogs = readonly {
  readonly number: number;
  readonly facts: readonly { readonly logIndex: number }[];
}[];

/** By block number. */
export const indexesOf = (blocks: BlocksOfLogs) =>
  blocks.map(({ number, facts }) => [number, facts.map(({ logIndex }) => logIndex)]);

/** What a crowded chain logs: numbers of blocks, indexes of logs. */
export const ALL_INDEXES = [
  [1, [0]],
  [CROWDED, Array.from({ length: AGENTS + 1 }, (_, place) => place)],
  [4, [0]],
];
