/** Stands for a header value that is no percent-encoded UTF-8. No JSON value equals it, so no sender can make one. */
export const UNDECODABLE = Symbol('undecodable header value');
