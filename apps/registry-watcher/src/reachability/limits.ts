/** What every probe is bounded by. */
export const PROBE_LIMITS = {
  /** Probes of endpoints at a time, over all hosts. */
  concurrency: 16,
  /** From a request to the end of what is read of its answer. */
  timeoutMs: 10_000,
  /** Bytes of one answer that are read. */
  maxAnswerBytes: 262_144,
  maxRedirects: 3,
  /** Server-sent events that are read in search of the answer. */
  maxStreamEvents: 100,
  /** For giving back a session, which nobody waits for longer. */
  farewellTimeoutMs: 3_000,
} as const;

/** How a single host is treated, whoever has agents there. */
export const POLITENESS_LIMITS = {
  /** From the end of one visit to the beginning of the next. */
  minIntervalMs: 500,
  /** Probes that wait for one host; more of them are `busy`, so that a slow host does not fill the places of others. */
  maxWaitingPerHost: 4,
  /** Hosts that are known at a time. Then hold-offs are given up, the nearest to its end first; without any, more hosts are `busy`. */
  maxHosts: 10_000,
  /** How long a host that answers 429 is left alone when it does not say. */
  defaultHoldOffMs: 60_000,
  /** Longest pause that a host is granted. */
  maxHoldOffMs: 900_000,
} as const;
