/** A log as an endpoint gave it, checked in form. All texts are lower case. */
export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  /** 0x and an even number of digits. */
  readonly data: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: number;
  /** Seconds since 1970, where the endpoint told. */
  readonly blockTimestamp: number | undefined;
}

/** The order of the chain. */
export function compareLogs(a: RawLog, b: RawLog): number {
  return a.blockNumber - b.blockNumber || a.logIndex - b.logIndex;
}
