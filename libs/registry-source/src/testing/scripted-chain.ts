import { createHash } from 'node:crypto';
import { encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';
import { encodeEvent, type EventName, type EventValues } from './event-abi';

export interface ScriptedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  /** Which of its block's transactions logs it; the first one where absent. */
  readonly transaction?: number;
}

export interface ScriptedBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: number;
  readonly logs: readonly ScriptedLog[];
}

export const IDENTITY = `0x${'1'.repeat(40)}`;
export const REPUTATION = `0x${'2'.repeat(40)}`;
export const EAS = `0x${'4'.repeat(40)}`;
export const SCHEMA = `0x${'5'.repeat(64)}`;

const hashOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;
const hexOf = (number: number): string => `0x${number.toString(16)}`;

export function eventLog(address: string, name: EventName, values: EventValues): ScriptedLog {
  return { address, ...encodeEvent(name, values) };
}

/** An agent that registers. */
export function registration(agentId: number): ScriptedLog {
  return eventLog(IDENTITY, 'registered', {
    agentId: BigInt(agentId),
    agentURI: `u${agentId}`,
    owner: `0x${'a'.repeat(40)}`,
  });
}

/** A chain in memory, with answers to JSON-RPC. Forks share what is below them. */
export class ScriptedChain {
  readonly blocks: ScriptedBlock[] = [];
  readonly attestations = new Map<string, string>();

  constructor(private readonly branch = 'main') {}

  /** Adds a block with these logs. */
  add(...logs: ScriptedLog[]): ScriptedBlock {
    const parent = this.blocks.at(-1);
    const number = this.blocks.length;
    const block = {
      number,
      hash: hashOf(`${this.branch} ${number} ${parent?.hash ?? ''}`),
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      timestamp: 1_700_000_000 + number * 12,
      logs,
    };
    this.blocks.push(block);
    return block;
  }

  addEmpty(count: number): this {
    for (let place = 0; place < count; place += 1) this.add();
    return this;
  }

  /** Another branch that leaves this one after `number`. */
  fork(branch: string, number: number): ScriptedChain {
    const fork = new ScriptedChain(branch);
    fork.blocks.push(...this.blocks.slice(0, number + 1));
    return fork;
  }

  get head(): number {
    return this.blocks.length - 1;
  }

  attest(uid: string, said: { agentId: string; score: number; tags: string[]; context: string }): ScriptedLog {
    const data = encodeAbiParameters(parseAbiParameters('string, uint8, string[], string'), [
      said.agentId,
      said.score,
      said.tags,
      said.context,
    ]);
    const zero = `0x${'0'.repeat(40)}` as const;
    this.attestations.set(
      uid,
      encodeAbiParameters(
        parseAbiParameters('(bytes32, bytes32, uint64, uint64, uint64, bytes32, address, address, bool, bytes)'),
        [[uid as Hex, SCHEMA as Hex, 1n, 0n, 0n, `0x${'0'.repeat(64)}`, zero, zero, true, data]],
      ),
    );
    return eventLog(EAS, 'attested', { recipient: zero, attester: `0x${'b'.repeat(40)}`, uid, schemaUID: SCHEMA });
  }

  answer(method: string, params: readonly unknown[]): unknown {
    const [first] = params;
    switch (method) {
      case 'eth_chainId':
        return '0x7a69';
      case 'eth_blockNumber':
        return hexOf(this.head);
      case 'eth_getBlockByNumber':
        return this.header(Number(first));
      case 'eth_getLogs':
        return this.logs(first as Filter);
      case 'eth_getBlockReceipts':
        return this.receiptsOf(this.blocks[Number(first)]);
      case 'eth_getTransactionReceipt':
        return (
          this.blocks
            .flatMap((block) => this.receiptsOf(block))
            .find(({ transactionHash }) => transactionHash === first) ?? null
        );
      case 'eth_call':
        return this.attestations.get(`0x${(first as { data: string }).data.slice(10)}`) ?? `0x${'0'.repeat(64)}`;
      default:
        throw Object.assign(new Error(`the method ${method} does not exist`), { code: -32601 });
    }
  }

  private header(number: number): unknown {
    const block = this.blocks[number];
    if (block === undefined) return null;
    const { hash, parentHash, timestamp, logs } = block;
    return {
      number: hexOf(number),
      hash,
      parentHash,
      timestamp: hexOf(timestamp),
      logsBloom: bloomOf(logs),
      transactions: transactionsOf(block),
      miner: '0x',
    };
  }

  private logs(filter: Filter): unknown[] {
    const blocks =
      filter.blockHash === undefined
        ? this.blocks.slice(Number(filter.fromBlock), Number(filter.toBlock) + 1)
        : this.blocks.filter(({ hash }) => hash === filter.blockHash);
    if (filter.blockHash !== undefined && blocks.length === 0)
      throw Object.assign(new Error('unknown block'), { code: -32000 });
    return blocks.flatMap((block) =>
      this.logsOf(block, (log) => {
        const [topics, , , fourth] = filter.topics as readonly [readonly string[], null?, null?, string?];
        return (
          filter.address.includes(log.address) &&
          topics.includes(log.topics[0] ?? '') &&
          (fourth === undefined || log.topics[3] === fourth)
        );
      }),
    );
  }

  private receiptsOf(
    block: ScriptedBlock | undefined,
  ): { transactionHash: string; blockHash: string; logs: unknown[] }[] {
    if (block === undefined) return [];
    return transactionsOf(block).map((transactionHash, place) => ({
      transactionHash,
      blockHash: block.hash,
      logs: this.logsOf(block, (log) => (log.transaction ?? 0) === place),
    }));
  }

  private logsOf(block: ScriptedBlock | undefined, wanted: (log: ScriptedLog) => boolean): unknown[] {
    if (block === undefined) return [];
    const { number, hash, timestamp } = block;
    return block.logs.flatMap((log, place) =>
      wanted(log)
        ? [
            {
              address: log.address,
              topics: log.topics,
              data: log.data,
              blockNumber: hexOf(number),
              blockHash: hash,
              blockTimestamp: hexOf(timestamp),
              transactionHash: transactionsOf(block)[log.transaction ?? 0],
              transactionIndex: hexOf(log.transaction ?? 0),
              logIndex: hexOf(place),
              removed: false,
            },
          ]
        : [],
    );
  }
}

function transactionsOf({ hash, logs }: ScriptedBlock): string[] {
  const count = Math.max(0, ...logs.map(({ transaction = 0 }) => transaction + 1));
  return Array.from({ length: count }, (_, place) => hashOf(`tx ${place} ${hash}`));
}

interface Filter {
  readonly address: readonly string[];
  readonly topics: readonly unknown[];
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly blockHash?: string;
}

/** The filter that a node makes of a block's logs. */
export function bloomOf(logs: readonly ScriptedLog[]): string {
  const bytes = new Uint8Array(256);
  for (const value of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const hash = Buffer.from(keccak256(value as Hex).slice(2), 'hex');
    for (const at of [0, 2, 4]) {
      const bit = hash.readUInt16BE(at) & 2047;
      const place = 255 - (bit >> 3);
      bytes[place] = (bytes[place] ?? 0) | (1 << (bit & 7));
    }
  }
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
