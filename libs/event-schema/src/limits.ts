/** Largest encoded envelope, in bytes of UTF-8. A larger event is answered by 413 (contract sandbox-events, decision 5). */
export const MAX_EVENT_BYTES = 256 * 1024;

/** Longest name (entity id, type, correlation id) in UTF-16 code units. */
export const MAX_NAME_LENGTH = 256;

/** Most events in one batch request. */
export const MAX_BATCH_EVENTS = 1000;

/** Largest workspace number: it is kept in a 32-bit column. */
export const MAX_WORKSPACE_ID = 2_147_483_647;

/** Latest instant that a JavaScript date can express, in milliseconds since 1970. */
export const MAX_TIMESTAMP_MS = 8_640_000_000_000_000;
