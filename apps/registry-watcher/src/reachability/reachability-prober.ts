import type { EndpointProbe, ProbeResult, ProbeTarget } from '@sluice/agent-registry';
import { probeA2a } from './a2a-probe';
import { probeMcp } from './mcp-probe';
import { NO_REACHABILITY_SIGNALS, type ReachabilitySignals } from './reachability-signals';
import { detailOf, unknown, type ProbeProtocol } from './verdict';
import { Visits, type Visited, type VisitsOptions } from './visits';

export interface ReachabilityProberOptions extends Omit<VisitsOptions, 'onHoldOff' | 'onHostForgotten'> {
  readonly signals?: ReachabilitySignals;
}

/** What the prober does at the moment. */
export interface ProberLoad {
  /** Visits to hosts. */
  readonly running: number;
  /** Visits that wait for their turn. */
  readonly waiting: number;
  /** Hosts that are visited, waited for, or left alone for a while. */
  readonly hosts: number;
}

const PROBES: Readonly<
  Record<ProbeProtocol, (visits: Visits, endpoint: string, signal: AbortSignal) => Promise<Visited>>
> = { mcp: probeMcp, a2a: probeA2a };

/** Finds out whether agents answer where they say. One prober for all chains, so that hosts are spared across them. */
export class ReachabilityProber {
  private readonly visits: Visits;
  private readonly signals: ReachabilitySignals;
  /** Endpoints that are visited or waited for: agents that share one cost its host one visit. */
  private readonly underway = new Map<string, { readonly signal: AbortSignal; readonly visited: Promise<Visited> }>();

  constructor({ signals = NO_REACHABILITY_SIGNALS, ...options }: ReachabilityProberOptions) {
    this.signals = signals;
    this.visits = new Visits({
      ...options,
      onHoldOff: () => signals.heldOff(),
      onHostForgotten: () => signals.hostForgotten(),
    });
  }

  get load(): ProberLoad {
    return this.visits.load;
  }

  /**
   * Probes each endpoint of the target once. Never rejects, and always ends. An endpoint about which nothing was learned (its host
   * wants to be left alone, too much waits here, or the signal was aborted) is absent from the result.
   */
  async probe(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
    const [mcp, a2a] = await Promise.all([
      this.probeEndpoint('mcp', target.mcpEndpoint, signal),
      this.probeEndpoint('a2a', target.a2aEndpoint, signal),
    ]);
    return { target, ...(mcp && { mcp }), ...(a2a && { a2a }), probedAt: Date.now() };
  }

  private async probeEndpoint(
    protocol: ProbeProtocol,
    endpoint: string | undefined,
    signal: AbortSignal,
  ): Promise<EndpointProbe | undefined> {
    if (endpoint === undefined) return undefined;
    const { verdict, durationMs } = await this.visitShared(protocol, endpoint, signal);
    this.signals.probed(protocol, verdict.code, durationMs);
    if (verdict.kind === 'unknown') return undefined;
    const isReachable = verdict.kind === 'reachable';
    return {
      reachable: isReachable,
      ...(isReachable && durationMs !== undefined && { latencyMs: Math.round(durationMs) }),
      detail: detailOf(verdict),
    };
  }

  private async visitShared(protocol: ProbeProtocol, endpoint: string, signal: AbortSignal): Promise<Visited> {
    const key = `${protocol} ${endpoint}`;
    const same = this.underway.get(key);
    // With a signal of its own a probe would end for reasons of another.
    if (same?.signal === signal) return same.visited;
    const visited = this.visitOnce(protocol, endpoint, signal);
    if (same !== undefined) return visited;
    this.underway.set(key, { signal, visited });
    try {
      return await visited;
    } finally {
      this.underway.delete(key);
    }
  }

  private async visitOnce(protocol: ProbeProtocol, endpoint: string, signal: AbortSignal): Promise<Visited> {
    try {
      return await PROBES[protocol](this.visits, endpoint, signal);
    } catch (error) {
      this.signals.fault(error);
      return { verdict: unknown('fault') };
    }
  }
}
