import { MemoryChainStore } from '@sluice/agent-registry';
import { ScriptedChain } from './scripted-chain';
import { CHAIN_ID, TestLog, until, watchProcess, type WatchOptions } from './watch-process';

type WatchProcess = ReturnType<typeof watchProcess>;

export const agent = (tokenId: string): string => `${CHAIN_ID}:${tokenId}`;

/** What one test has: a chain, what watches it, and where that keeps and appends what it finds. */
export class WatchedWorld {
  readonly chain = new ScriptedChain();
  readonly log = new TestLog();
  readonly store = new MemoryChainStore();
  private readonly running: { stop(): Promise<void> }[] = [];

  readonly watch = async (options: Partial<WatchOptions> = {}): Promise<WatchProcess> => {
    const process = watchProcess({ chain: this.chain, log: this.log, store: this.store, ...options });
    this.running.push(process);
    await process.start();
    return process;
  };

  readonly untilTypes = (tokenId: string, ...types: string[]): Promise<void> =>
    until(
      () => this.log.types(agent(tokenId)).join() === types.join(),
      () => `${types.join()}, not ${this.log.types().join()}`,
    );

  readonly untilAt = (process: Pick<WatchProcess, 'status'>): Promise<void> =>
    until(async () => (await process.status())?.cursor?.hash === this.chain.head.hash, 'the head');

  async stop(): Promise<void> {
    await Promise.all(this.running.map((process) => process.stop()));
  }
}
