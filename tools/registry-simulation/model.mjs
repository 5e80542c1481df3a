/** Tags that the ERC defines for something else than a rating; of those the simulation uses. */
const MEASURES = new Set(['uptime', 'responseTime', 'reachable']);

const NOBODY = `0x${'00'.repeat(20)}`;
const ROUNDED = (value) => Math.round(value * 100) / 100;

/** A score by whole numbers alone, so that it is another way than that of what is tested. */
export function scoreOf(value, decimals) {
  const power = 10n ** BigInt(decimals);
  const doubled = 2n * BigInt(value) + power;
  if (doubled <= 0n) return 0;
  const rounded = doubled / (2n * power);
  return rounded > 100n ? 100 : Number(rounded);
}

/** Bytes of contracts 1.0.0 as text. */
function textOf(bytes32) {
  return Buffer.from(bytes32.slice(2), 'hex').toString('utf8').replace(/\0+$/, '');
}

/**
 * What a chain says when it is read from its first log to its last, in the words of the contract: the events that are to
 * be there (each exactly once, net of what was taken back), and the agents.
 *
 * @param {readonly {name: string, args: any, log: any}[]} history of the canonical chain, in order
 * @param {number} chainId
 * @param {(uri: string) => {file?: any, isRemote?: boolean, isBroken?: boolean} | undefined} readUri
 */
export function modelOf(history, chainId, readUri) {
  const agents = new Map();
  const events = [];
  const attestations = new Map();
  for (const transaction of transactionsOf(history)) applyTransaction(transaction);
  return { agents, events };

  function emit(type, log, tokenId, fields) {
    const { blockHash, transactionHash, logIndex } = log;
    events.push({
      type,
      agentId: `${chainId}:${tokenId}`,
      key: `${blockHash}/${transactionHash}/${logIndex}/${type}`,
      fields,
    });
  }

  function applyTransaction(entries) {
    const registered = new Set(
      entries.filter(({ name }) => name === 'Registered').map(({ args }) => String(args.agentId)),
    );
    const updated = new Set();
    for (const { name, args, log } of entries) {
      const tokenId = String(args.agentId ?? args.tokenId);
      const agent = agents.get(tokenId);
      switch (name) {
        case 'Registered':
          register(tokenId, args, log);
          break;
        case 'MetadataSet':
        case 'URIUpdated':
        case 'UriUpdated':
        case 'Transfer':
          if (name === 'Transfer' && args.from === NOBODY) break;
          if (!registered.has(tokenId) && !updated.has(tokenId)) {
            updated.add(tokenId);
            update(
              tokenId,
              agent,
              entries.filter((entry) => String(entry.args.agentId ?? entry.args.tokenId) === tokenId),
              log,
            );
          }
          apply(agent, name, args, log, tokenId);
          break;
        case 'NewFeedback':
          feedback(tokenId, agent, args, log);
          break;
        case 'FeedbackRevoked':
          revoke(tokenId, agent, args, log);
          break;
        case 'ResponseAppended': {
          const found = agent.feedback.find(isOf(args));
          found.responses++;
          const { clientAddress, feedbackIndex, responder } = args;
          const fields = { clientAddress: lower(clientAddress), feedbackIndex: String(feedbackIndex) };
          emit('feedback_response', log, tokenId, { ...fields, responder: lower(responder) });
          break;
        }
        case 'ValidationRequest':
          emit('validation_requested', log, tokenId, { requestHash: args.requestHash });
          break;
        case 'ValidationResponse':
          emit('validation_responded', log, tokenId, { requestHash: args.requestHash, response: args.response });
          break;
        case 'Attested':
          attest(args, log);
          break;
        case 'Revoked':
          revokeAttestation(args, log);
          break;
        default:
      }
    }
  }

  function register(tokenId, args, log) {
    const read = readUri(args.agentURI);
    const agent = {
      tokenId,
      owner: lower(args.owner),
      uri: args.agentURI,
      read,
      // The last file that could be read; what comes after a file that may not have been read yet is not certain.
      lastFile: read?.file,
      isCertain: true,
      wallet: undefined,
      ratingSum: 0,
      ratingCount: 0,
      feedback: [],
      clients: new Map(),
    };
    agents.set(tokenId, agent);
    const isKnown = read?.isRemote !== true;
    emit('agent_registered', log, tokenId, {
      owner: agent.owner,
      ...(isKnown && { name: read?.file?.name ?? `Agent #${tokenId}`, hasMcp: read?.file?.hasMcp ?? false }),
    });
  }

  /** What an update of this transaction changes for certain; it may name more fields of the file. */
  function update(tokenId, agent, entries, log) {
    const changes = [];
    if (entries.some(({ name }) => name === 'URIUpdated' || name === 'UriUpdated')) changes.push('agentURI');
    if (entries.some(({ name }) => name === 'Transfer')) changes.push('owner');
    emit('agent_updated', log, tokenId, { changes });
  }

  function apply(agent, name, args, log, tokenId) {
    if (name === 'Transfer') {
      agent.owner = lower(args.to);
      emit('agent_transferred', log, tokenId, { from: lower(args.from), to: agent.owner });
    } else if (name !== 'MetadataSet') {
      agent.uri = args.newURI ?? args.newUri;
      const wasRemote = agent.read?.isRemote === true;
      agent.read = readUri(agent.uri);
      if (agent.read?.isBroken) agent.isCertain &&= !wasRemote;
      else {
        agent.lastFile = agent.read?.file;
        agent.isCertain = true;
      }
    }
  }

  function rate(tokenId, agent, log, score, count, fields) {
    const previousScore = mean(agent);
    agent.ratingSum += count * score;
    agent.ratingCount += count;
    emit('reputation_change', log, tokenId, {
      previousScore,
      newScore: mean(agent),
      feedbackCount: agent.ratingCount,
      ...fields,
    });
  }

  function feedback(tokenId, agent, args, log) {
    const isFirst = args.feedbackIndex === undefined;
    const client = lower(args.clientAddress);
    const index = isFirst ? (agent.clients.get(client) ?? 0n) + 1n : args.feedbackIndex;
    if (isFirst) agent.clients.set(client, index);
    const tag1 = isFirst ? textOf(args.tag1) : args.indexedTag1 === undefined ? '' : args.tag1;
    const tag2 = isFirst ? textOf(args.tag2) : args.tag2;
    const value = args.value ?? BigInt(args.score);
    const valueDecimals = args.valueDecimals ?? 0;
    const score = scoreOf(value, valueDecimals);
    const isRating = !MEASURES.has(tag1);
    const tags = [tag1, tag2].filter((tag) => tag !== '');
    const entry = {
      source: 'registry',
      client,
      index: String(index),
      value: String(value),
      valueDecimals,
      score,
      isRating,
      tags,
    };
    agent.feedback.push({ ...entry, isRevoked: false, responses: 0 });
    if (isRating) rate(tokenId, agent, log, score, 1, { latestFeedback: { score, tags } });
    else emit('feedback_received', log, tokenId, {});
  }

  function revoke(tokenId, agent, args, log) {
    const found = agent.feedback.find(isOf(args));
    found.isRevoked = true;
    emit('feedback_revoked', log, tokenId, { clientAddress: found.client, feedbackIndex: found.index });
    if (found.isRating) rate(tokenId, agent, log, found.score, -1, {});
  }

  function attest(args, log) {
    const match = /^(\d+):(\d+)$/.exec(args.agentId ?? '');
    if (match === null || Number(match[1]) !== chainId || args.score < 1 || args.score > 5) return;
    const agent = agents.get(match[2]);
    if (agent === undefined) return;
    const [, , tokenId] = match;
    const score = (args.score - 1) * 25;
    const attester = lower(args.attester);
    const tags = args.tags.filter((tag) => tag !== '');
    attestations.set(args.uid, { tokenId, score });
    const entry = { source: 'eas', client: attester, uid: args.uid, score, isRating: true, tags };
    agent.feedback.push({ ...entry, isRevoked: false, responses: 0 });
    emit('new_attestation', log, tokenId, { attestationUid: args.uid, attester, score, tags });
    rate(tokenId, agent, log, score, 1, { latestFeedback: { score, tags } });
  }

  function revokeAttestation(args, log) {
    const known = attestations.get(args.uid);
    if (known === undefined) return;
    const agent = agents.get(known.tokenId);
    agent.feedback.find(({ uid }) => uid === args.uid).isRevoked = true;
    emit('attestation_revoked', log, known.tokenId, { attestationUid: args.uid });
    rate(known.tokenId, agent, log, known.score, -1, {});
  }
}

export const mean = ({ ratingSum, ratingCount }) => (ratingCount === 0 ? 0 : ROUNDED(ratingSum / ratingCount));

const lower = (address) => address.toLowerCase();

const isOf =
  ({ clientAddress, feedbackIndex }) =>
  ({ client, index }) =>
    client === lower(clientAddress) && index === String(feedbackIndex);

function transactionsOf(history) {
  const groups = [];
  for (const entry of history) {
    const last = groups.at(-1);
    if (last?.[0].log.transactionHash === entry.log.transactionHash) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}
