import { WakeUp } from '@sluice/event-log';
import type { Worker } from '@sluice/service-runtime';
import { MAX_WEBHOOK_PAGE, type RenewedGrant, type WebhookEndpoint } from '@sluice/webhook-delivery';
import { withoutFormer } from '../endpoint-secrets';
import { EndpointRunner } from './endpoint-runner';
import { pause } from './pauses';
import type { RunnerPorts } from './runner-ports';

export interface ReactorOptions {
  /** Names this process among the replicas. */
  readonly holder: string;
  readonly leaseMs: number;
  /** How often grants are renewed, and free endpoints looked for. */
  readonly intervalMs: number;
  /** Endpoints that this process delivers to at a time; what is beyond it waits for another replica. */
  readonly maxEndpoints: number;
  /** How long what is being sent may take when the process stops. */
  readonly drainMs: number;
}

/** At most so often something that changed is looked at. */
const NOTICE_PAUSE_MS = 200;
/** Endpoints that are taken in one look, so that replicas that start together share them. */
const CLAIMED_AT_ONCE = 50;

/**
 * Sees to it that each enabled endpoint has a runner in one replica. Renewing is one statement for all of them, and is also
 * how a replica learns what owners changed at another one.
 */
export class DeliveryReactor implements Worker {
  readonly name = 'webhooks';
  private readonly runners = new Map<string, EndpointRunner>();
  private readonly wakeUp = new WakeUp();
  private readonly stopping = new AbortController();
  /** Changed since the last look. */
  private noticed = new Set<string>();
  private renewAtMs = 0;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly ports: RunnerPorts,
    private readonly options: ReactorOptions,
  ) {}

  start(): Promise<void> {
    this.loop ??= this.run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp.wake();
    await this.loop;
    const runners = [...this.runners.values()];
    for (const runner of runners) runner.drain();
    const drained = new AbortController();
    const done = Promise.all(runners.map((runner) => runner.done)).finally(() => drained.abort());
    await pause(this.options.drainMs, drained.signal);
    await Promise.all(runners.map((runner) => runner.stop()));
    await done;
    await this.release(runners);
    this.runners.clear();
  }

  /** This endpoint changed: look at it at once. */
  notice(endpointId: string): void {
    this.noticed.add(endpointId);
    this.wakeUp.wake();
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  get counts(): { readonly held: number; readonly blocked: number } {
    const runners = [...this.runners.values()];
    return { held: runners.length, blocked: runners.filter(({ isBlocked }) => isBlocked).length };
  }

  /** The place of the endpoint that is the furthest behind. */
  get leastPosition(): number | undefined {
    const positions = [...this.runners.values()].map(({ place }): number => place.position);
    return positions.length === 0 ? undefined : positions.reduce((least, each) => Math.min(least, each));
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      this.wakeUp.reset();
      let hasMore = false;
      try {
        await this.renew(this.whomToRenew());
        hasMore = await this.claim();
      } catch (error) {
        this.ports.signals.fault('lease', error);
      }
      if (hasMore) continue;
      await this.wakeUp.sleep(Math.max(0, this.renewAtMs - performance.now()));
      if (this.noticed.size > 0) await pause(NOTICE_PAUSE_MS, this.stopping.signal);
    }
  }

  /** All when it is time, between those that changed. */
  private whomToRenew(): readonly EndpointRunner[] {
    const { noticed } = this;
    this.noticed = new Set();
    const nowMs = performance.now();
    const runners = [...this.runners.values()];
    if (nowMs < this.renewAtMs) return runners.filter(({ grant }) => noticed.has(grant.endpointId));
    this.renewAtMs = nowMs + this.options.intervalMs;
    return runners;
  }

  private async renew(held: readonly EndpointRunner[]): Promise<void> {
    const { leaseMs } = this.options;
    for (let start = 0; start < held.length; start += MAX_WEBHOOK_PAGE) {
      const some = held.slice(start, start + MAX_WEBHOOK_PAGE);
      const askedAtMs = performance.now();
      const renewed = await this.ports.store.renew({
        held: some.map(({ heldPlace }) => heldPlace),
        leaseMs,
      });
      const byId = new Map(renewed.map((each) => [each.endpointId, each]));
      await Promise.all(
        some.map((runner) => this.settle(runner, byId.get(runner.grant.endpointId), askedAtMs + leaseMs)),
      );
    }
  }

  private async settle(
    runner: EndpointRunner,
    renewed: RenewedGrant | undefined,
    leasedUntilMs: number,
  ): Promise<void> {
    const { signals } = this.ports;
    if (renewed === undefined) {
      await this.end(runner);
      signals.grantLost();
    } else if (!renewed.isEnabled) {
      await this.end(runner);
      await this.release([runner]);
    } else if (renewed.version !== runner.endpoint.version) {
      await this.restart(runner, leasedUntilMs);
    } else {
      runner.extend(leasedUntilMs);
      await this.forgetFormerSecret(runner.endpoint);
      if (renewed.hasReplays) runner.noticeReplays();
    }
  }

  /** The next renewal goes on without it. */
  private async forgetFormerSecret({ endpointId, workspaceId, secrets: known }: WebhookEndpoint): Promise<void> {
    const { store, clock } = this.ports;
    if (withoutFormer(known, clock.now()) === undefined) return;
    await store.update(workspaceId, endpointId, ({ endpoint: { secrets } }) => ({
      secrets: withoutFormer(secrets, clock.now()) ?? secrets,
    }));
  }

  private async end(runner: EndpointRunner): Promise<void> {
    // First, so that it is not taken for one that ended by itself.
    if (this.runners.get(runner.grant.endpointId) === runner) this.runners.delete(runner.grant.endpointId);
    await runner.stop();
  }

  /** By what its owner says now. */
  private async restart(runner: EndpointRunner, leasedUntilMs: number): Promise<void> {
    await this.end(runner);
    const { grant } = runner;
    const state = await this.ports.store.load(grant);
    // What its owner set may lie before the place that is known here.
    const { place, progressVersion } = runner.heldPlace;
    const isCurrent = progressVersion === state.progressVersion;
    const progress = isCurrent ? { ...state.progress, place: laterOf(state.progress.place, place) } : state.progress;
    this.begin(new EndpointRunner({ ...state, progress, grant, hasReplays: true }, this.ports, leasedUntilMs));
  }

  /** Whether there may be more. */
  private async claim(): Promise<boolean> {
    const { holder, leaseMs, maxEndpoints } = this.options;
    const limit = Math.min(CLAIMED_AT_ONCE, maxEndpoints - this.runners.size);
    if (limit <= 0 || this.isStopping) return false;
    const askedAtMs = performance.now();
    const leases = await this.ports.store.claim({ holder, leaseMs, limit });
    for (const lease of leases) {
      // One that is still ending here lost its grant: nothing of it can be kept any more.
      const former = this.runners.get(lease.grant.endpointId);
      if (former) await this.end(former);
      this.begin(new EndpointRunner(lease, this.ports, askedAtMs + leaseMs));
    }
    return leases.length === limit;
  }

  private begin(runner: EndpointRunner): void {
    const { endpointId } = runner.grant;
    this.runners.set(endpointId, runner);
    void runner.done.then(() => {
      if (this.isStopping || this.runners.get(endpointId) !== runner) return;
      // Disabled by what it answered, or its grant is lost.
      this.runners.delete(endpointId);
      return this.release([runner]).then(() => this.notice(endpointId));
    });
  }

  private async release(runners: readonly EndpointRunner[]): Promise<void> {
    try {
      await this.ports.store.release(runners.map(({ heldPlace }) => heldPlace));
    } catch (error) {
      this.ports.signals.fault('lease', error);
    }
  }
}

function laterOf<P extends { readonly epoch: string; readonly position: number }>(stored: P, known: P): P {
  return known.epoch === stored.epoch && known.position > stored.position ? known : stored;
}
