/**
 * Arguments of Node.js by app. Requests and batches leave much young garbage; with more room for it, the collector copies less
 * of what is still in use. Where subscribers are held the room would only be memory that each of them seems to cost.
 *
 * @param {string} app
 * @returns {readonly string[]}
 */
export function nodeArgsFor(app) {
  return app === 'ingest' || app === 'projector' ? ['--max-semi-space-size=32'] : [];
}
