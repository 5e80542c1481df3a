/** Largest encoded envelope, in bytes of UTF-8. A larger event is answered by 413 (contract sandbox-events, decision 5). */
export const MAX_EVENT_BYTES = 256 * 1024;

/** Longest name (entity id, type, correlation id) in Unicode characters, which is what JSON Schema counts too. */
export const MAX_NAME_LENGTH = 256;

/** Most levels of objects and arrays in `data`, itself included. What is nested thousands deep parses but cannot be encoded again. */
export const MAX_DATA_DEPTH = 100;

/** Most events in one batch request. */
export const MAX_BATCH_EVENTS = 1000;

/** Largest workspace number: it is kept in a 32-bit column. */
export const MAX_WORKSPACE_ID = 2_147_483_647;

/** End of the year 9999 in milliseconds since 1970: RFC 3339, and so CloudEvents, has no later instant. */
export const MAX_TIMESTAMP_MS = 253_402_300_799_999;
