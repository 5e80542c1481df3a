const REVERSAL_OF = {
  agent_registered: 'agent_registration_reverted',
  agent_updated: 'agent_update_reverted',
  agent_transferred: 'agent_transfer_reverted',
  feedback_received: 'feedback_reverted',
  reputation_change: 'feedback_reverted',
  feedback_revoked: 'feedback_revocation_reverted',
  feedback_response: 'feedback_response_reverted',
  new_attestation: 'attestation_reverted',
  attestation_revoked: 'attestation_revocation_reverted',
  validation_requested: 'validation_request_reverted',
  validation_responded: 'validation_response_reverted',
};
const REVERSALS = new Set(Object.values(REVERSAL_OF));

/** What is told of what was found off the chain, or for several blocks at once: no log has it. */
const OFF_CHAIN = new Set(['reachability_update', 'classification_complete']);

/**
 * What is left of a stream when everything that was taken back is taken out of it.
 *
 * @param {readonly any[]} stream recorded events in the order of their positions
 * @returns {{net: Map<string, any>, faults: string[]}} by block, transaction, log and type
 */
export function netEventsOf(stream) {
  const net = new Map();
  const faults = [];
  const byId = new Map();
  let lastPosition = -1;
  for (const event of stream) {
    const { id, type, data, position } = event;
    if (byId.has(id)) faults.push(`the event ${id} (${type}) is there twice`);
    byId.set(id, event);
    if (position !== undefined && position <= lastPosition) faults.push(`${id} is out of order`);
    lastPosition = position ?? lastPosition;
    if (OFF_CHAIN.has(type) || data.chain === undefined) continue;
    const key = keyOf(data.chain, type);
    if (REVERSALS.has(type)) applyReversal(event);
    else if (type === 'reputation_change' && net.has(key)) {
      // What answers a change of the score is one itself, of the same log.
      const before = net.get(key).data;
      if (before.newScore !== data.previousScore || before.previousScore !== data.newScore) {
        faults.push(`${key} is there twice, and the second does not answer the first`);
      }
      net.delete(key);
    } else if (net.has(key)) faults.push(`${key} is there twice`);
    else net.set(key, event);
  }
  return { net, faults };

  function applyReversal({ id, type, data }) {
    const reverted = byId.get(data.revertedEventId);
    if (reverted === undefined) return faults.push(`${id} (${type}) takes back an event that was not there before`);
    if (REVERSAL_OF[reverted.type] !== type || reverted.data.agentId !== data.agentId) {
      return faults.push(`${id} (${type}) takes back ${reverted.id} (${reverted.type})`);
    }
    const key = keyOf(reverted.data.chain, reverted.type);
    // The change of a score is taken back by the one that follows.
    if (reverted.type === 'reputation_change') return undefined;
    if (net.get(key)?.id !== reverted.id) return faults.push(`${reverted.id} (${reverted.type}) is taken back twice`);
    net.delete(key);
    return undefined;
  }
}

const keyOf = ({ blockHash, transactionHash, logIndex }, type) => `${blockHash}/${transactionHash}/${logIndex}/${type}`;
