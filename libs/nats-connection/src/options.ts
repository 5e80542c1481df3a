/** Where NATS is, and who asks. */
export interface NatsAddress {
  /** Addresses such as `nats://host:4222`; a comma-separated string is accepted too. */
  readonly servers: string | readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** The content of a credentials file (JWT and seed), asked for at each connection. Must not throw. */
  readonly credentials?: () => Uint8Array;
  /** Set it, even to an empty object, to insist on TLS. Files are paths. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** How the server names this connection in its own reports. */
  readonly name?: string;
}

/** How a connection behaves. */
export interface ConnectionManner {
  /** Waits between attempts to connect: they grow with the outage, between these bounds. */
  readonly retryDelayMs: { readonly minimum: number; readonly maximum: number };
  /** Longest wait for a clean end, of each of its steps. */
  readonly drainTimeoutMs: number;
  /** What is published on this connection is not delivered to it. */
  readonly noEcho?: boolean;
}

/** Longest dial of one server, handshake included. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** A silent connection is given up after about twice this. */
export const PING_INTERVAL_MS = 5_000;
