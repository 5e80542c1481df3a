/** What of an agent is to be probed. At least one endpoint is there. */
export interface ProbeTarget {
  readonly tokenId: string;
  readonly mcpEndpoint?: string;
  readonly a2aEndpoint?: string;
}

/** What a probe found at one endpoint. */
export interface EndpointProbe {
  readonly reachable: boolean;
  readonly latencyMs?: number;
  readonly detail?: string;
}

/** What a probe found: an answer for each endpoint of its target. */
export interface ProbeResult {
  readonly target: ProbeTarget;
  readonly mcp?: EndpointProbe;
  readonly a2a?: EndpointProbe;
  /** Milliseconds since 1970. */
  readonly probedAt: number;
}

/** How probes become an answer. */
export interface ProbePolicy {
  /** This many failures in a row make an endpoint unreachable. */
  readonly failuresToDown: number;
  readonly intervalMs: number;
  /** From 0 to 1, drawn anew for each result: how far the next probe is put off, in tenths of the interval. */
  readonly jitter: number;
}

/** What a classifier is told of an agent, bounded. */
export interface ClassificationInput {
  readonly name: string;
  readonly description: string;
  readonly serviceNames: readonly string[];
}

/** What of an agent is to be classified. */
export interface ClassificationRequest extends ClassificationInput {
  readonly tokenId: string;
  /** The owner's address, in lower case. */
  readonly owner: string;
  /** Tells whether a result is still about what the agent says of itself. */
  readonly inputHash: string;
}

/** A class that was found, with a slug of the taxonomy. */
export interface ClassFinding {
  readonly slug: string;
  readonly name: string;
  /** From 0 to 1. */
  readonly confidence: number;
}

export type ClassificationResult =
  | {
      readonly status: 'classified';
      readonly inputHash: string;
      readonly skills: readonly ClassFinding[];
      readonly domains: readonly ClassFinding[];
      /** From 0 to 1. */
      readonly confidence: number;
      readonly model: string;
    }
  | {
      readonly status: 'failed';
      readonly inputHash: string;
      readonly retryAfterMs: number;
      readonly reason: string;
    };
