const SEMI_SPACE_MIB = {
  // Requests and batches leave much young garbage: with more room for it, less of what is in use is copied.
  ingest: 32,
  projector: 32,
  // Where thousands of subscribers are held, room for garbage is memory that each of them seems to cost.
  'sse-stream': 2,
  'pubsub-tcp': 2,
};

/**
 * Arguments of Node.js by app: how large the space of young objects may become.
 *
 * @param {string} app
 * @returns {readonly string[]}
 */
export function nodeArgsFor(app) {
  const mib = SEMI_SPACE_MIB[app];
  return mib === undefined ? [] : [`--max-semi-space-size=${mib}`];
}
