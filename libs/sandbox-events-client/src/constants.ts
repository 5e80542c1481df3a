/** The documented event types of a sandbox. The `type` of an event is a free string all the same. */
export const EventTypes = {
  EXECUTION_STARTED: 'execution.started',
  EXECUTION_COMPLETED: 'execution.completed',
  EXECUTION_FAILED: 'execution.failed',
  EXECUTION_TIMEOUT: 'execution.timeout',
  FILE_CREATED: 'file.created',
  FILE_UPDATED: 'file.updated',
  FILE_DELETED: 'file.deleted',
  FILE_READ: 'file.read',
  TERMINAL_CREATED: 'terminal.created',
  TERMINAL_OUTPUT: 'terminal.output',
  TERMINAL_INPUT: 'terminal.input',
  TERMINAL_CLOSED: 'terminal.closed',
  PROCESS_STARTED: 'process.started',
  PROCESS_EXITED: 'process.exited',
  PROCESS_SIGNAL: 'process.signal',
  HTTP_REQUEST: 'http.request',
  HTTP_RESPONSE: 'http.response',
  SYSTEM_READY: 'system.ready',
  SYSTEM_SHUTDOWN: 'system.shutdown',
  SYSTEM_ERROR: 'system.error',
  CUSTOM: 'custom',
} as const;

/** One of the documented event types. */
export type EventType = (typeof EventTypes)[keyof typeof EventTypes];

/** Base URL of the HTTP doors when neither the configuration nor the environment names one. */
export const DEFAULT_GATEWAY_URL = 'https://events.computesdk.com';
/** Host of the TCP door when neither the configuration nor the environment names one. */
export const DEFAULT_PUBSUB_HOST = 'events.computesdk.com';
/** Port of the TCP door when neither the configuration nor the environment names one. */
export const DEFAULT_PUBSUB_PORT = 6380;
/** Time limit of one HTTP call, retries included, in milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;
/** First delay before a reconnect, in milliseconds. */
export const DEFAULT_RECONNECT_DELAY = 1_000;

/** Retries of one HTTP call after its first attempt. */
export const DEFAULT_RETRIES = 3;
/** The most retries that a configuration can ask for. */
export const MAX_RETRIES = 10;
/** Upper bound of the first back-off between two attempts, in milliseconds; it doubles with each attempt. */
export const DEFAULT_RETRY_DELAY_MS = 200;
/** Upper bound of every back-off between two attempts, in milliseconds. A `Retry-After` may be longer. */
export const MAX_RETRY_DELAY_MS = 10_000;
/** The largest page that `getEvents` can ask for. */
export const MAX_LIMIT = 1_000;
/** The largest body of a success that is read, in bytes: a page of 1000 events of 256 KiB fits. */
export const MAX_RESPONSE_BYTES = 300 * 1024 * 1024;
/** The part of an error body that is read and shown, in bytes. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Upper bound of the delay before a reconnect, in milliseconds. */
export const MAX_RECONNECT_DELAY_MS = 30_000;
/** How often a PING is sent, in milliseconds. */
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 15_000;
/** How long a PING may stay without any byte from the server, in milliseconds. */
export const DEFAULT_HEARTBEAT_TIMEOUT_MS = 30_000;
/** How long a server may take from the TCP connect to the answer to SUBSCRIBE, in milliseconds. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
/** The longest line that is accepted from the server, in bytes. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** The longest sandbox id, token or cursor that is sent, in characters. */
export const MAX_ARGUMENT_LENGTH = 16 * 1024;
/** Events that wait for a slow `for await` before the socket is paused. */
export const DEFAULT_MAX_QUEUED_EVENTS = 1_000;
/** Bytes of events that wait for a slow `for await` before the socket is paused. */
export const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
/** How long `disconnect()` waits for the server to close before it destroys the socket, in milliseconds. */
export const DISCONNECT_GRACE_MS = 1_000;
/** PINGs without an answer that are kept; beyond it the oldest one is given up. */
export const MAX_PENDING_PINGS = 64;
/** The longest delay that a timer of Node can hold, in milliseconds. */
export const MAX_TIMER_MS = 2_147_483_647;
