import { SluiceError } from '@sluice/event-log';
import { BackOff, firstOf, pause } from '../pause';
import { ChainLeaseKeeper, type ChainLease } from './chain-lease';
import { ChainProgress } from './chain-progress';
import { runChainSession, type ChainPorts, type ChainTimes } from './chain-session';

const RETRY_DELAY = { firstMs: 100, maximumMs: 10_000 };
/** How often within a lease is looked whether the chain is free. */
const LOOKS_PER_LEASE = 3;

/** Watches one chain whenever no other process does, and stands by otherwise. */
export class ChainWatcher {
  private readonly stopping = new AbortController();
  private readonly backOff = new BackOff(RETRY_DELAY);
  private readonly keeper: ChainLeaseKeeper;
  private running: Promise<void> | undefined;

  constructor(
    private readonly ports: ChainPorts,
    private readonly times: ChainTimes,
    private readonly holder: string,
  ) {
    const { chainId } = ports.chain;
    const onFault = (error: unknown) => ports.signals.fault('lease', error);
    this.keeper = new ChainLeaseKeeper({ store: ports.store, chainId, holder, leaseMs: times.leaseMs, onFault });
  }

  start(): Promise<void> {
    this.running ??= this.run();
    return Promise.resolve();
  }

  /** Finishes the commit in hand, appends what is committed as far as time allows, and gives the chain back. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.ports.source.close();
  }

  private async run(): Promise<void> {
    const { signals } = this.ports;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lease = await this.keeper.acquire().catch((error: unknown) => signals.fault('lease', error));
      if (lease) await this.hold(lease);
      else await pause(this.times.leaseMs / LOOKS_PER_LEASE, signal);
    }
  }

  private async hold(lease: ChainLease): Promise<void> {
    const { chain, clock, signals } = this.ports;
    const { signal } = this.stopping;
    const progress = new ChainProgress(chain, clock);
    signals.leaseChanged(true, this.holder);
    while (!signal.aborted && !lease.signal.aborted) {
      const startedAtMs = performance.now();
      try {
        await runChainSession(this.ports, this.times, lease, progress, signal);
      } catch (error) {
        signals.fault('session', error);
        // Another one has it, or had it: what is known here may be outdated.
        if (error instanceof SluiceError && error.code === 'conflict') break;
        if (performance.now() - startedAtMs > RETRY_DELAY.maximumMs) this.backOff.succeeded();
        await this.backOff.wait(firstOf(signal, lease.signal));
      }
    }
    await lease.release();
    signals.leaseChanged(false, this.holder);
    if (!signal.aborted) await pause(RETRY_DELAY.firstMs, signal);
  }
}
