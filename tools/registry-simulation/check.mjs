import { isDeepStrictEqual } from 'node:util';
import { mean } from './model.mjs';
import { netEventsOf } from './net-events.mjs';

/** Most faults that are told; the rest is counted. */
const MAX_FAULTS = 20;

/**
 * Compares what the system says with the truth.
 *
 * @param {{agents: Map<string, any>, events: any[]}} model of the chain as it is
 * @param {readonly any[]} onChain agents as the contracts keep them
 * @param {{agents: any[], feedback: Map<string, any[]>, stream: any[]}} seen
 * @returns {string[]} faults; none: they are the same
 */
export function compare(model, onChain, seen) {
  const faults = [
    ...modelFaults(model, onChain),
    ...eventFaults(model, seen.stream),
    ...agentFaults(model, seen.agents),
    ...[...model.agents.values()].flatMap((agent) => feedbackFaults(agent, seen.feedback.get(agent.tokenId) ?? [])),
  ];
  const rest = faults.length - MAX_FAULTS;
  return rest > 0 ? [...faults.slice(0, MAX_FAULTS), `and ${rest} more`] : faults;
}

/** The contracts and their logs have to tell the same, or the simulation itself is wrong. */
function modelFaults({ agents }, onChain) {
  const faults = [];
  if (onChain.length !== agents.size) faults.push(`model: ${agents.size} agents, the contract has ${onChain.length}`);
  for (const { agentId, owner, uri, feedback } of onChain) {
    const agent = agents.get(String(agentId));
    // The contract keeps no URIs of bulk registrations.
    const isUri = uri === '' || agent?.uri === uri;
    if (agent?.owner !== owner || !isUri) faults.push(`model: agent ${agentId} is not that of the contract`);
    const own = agent?.feedback.filter(({ source }) => source === 'registry') ?? [];
    const kept = feedback.map(({ client, feedbackIndex, revoked }) => `${client}/${feedbackIndex}/${revoked}`);
    const modelled = own.map(({ client, index, isRevoked }) => `${client}/${index}/${isRevoked}`);
    if (!isDeepStrictEqual(kept, modelled)) faults.push(`model: feedback of ${agentId} is not that of the contract`);
  }
  return faults;
}

function eventFaults({ events }, stream) {
  const { net, faults } = netEventsOf(stream);
  const expected = new Map(events.map((event) => [event.key, event]));
  for (const [key, { type, agentId, fields }] of expected) {
    const found = net.get(key);
    if (found === undefined) {
      faults.push(`missing: ${type} of ${agentId} (${key})`);
      continue;
    }
    if (found.data.agentId !== agentId) faults.push(`${key} is of ${found.data.agentId} instead of ${agentId}`);
    for (const [name, value] of Object.entries(fields)) {
      const said = found.data[name];
      const isSame = name === 'changes' ? value.every((one) => said.includes(one)) : isDeepStrictEqual(said, value);
      if (!isSame) faults.push(`${type} of ${agentId}: ${name} is ${text(said)} instead of ${text(value)} (${key})`);
    }
  }
  for (const [key, { id, type }] of net) if (!expected.has(key)) faults.push(`of no log: ${type} ${id} (${key})`);
  return [...faults, ...orderFaults(events, net)];
}

/** What is left of an agent's events stands in the stream in the order of the chain. */
function orderFaults(events, net) {
  const faults = [];
  const newest = new Map();
  for (const { key, agentId, type } of events) {
    const position = net.get(key)?.position;
    if (position === undefined) continue;
    if (position < (newest.get(agentId) ?? -1))
      faults.push(`${type} of ${agentId} is out of the chain's order (${key})`);
    newest.set(agentId, Math.max(position, newest.get(agentId) ?? -1));
  }
  return faults;
}

function agentFaults({ agents }, seen) {
  const faults = [];
  const found = new Map(seen.map((agent) => [agent.tokenId, agent]));
  for (const { tokenId } of seen) if (!agents.has(tokenId)) faults.push(`there is no agent ${tokenId} on the chain`);
  for (const [tokenId, agent] of agents) {
    const one = found.get(tokenId);
    if (one === undefined) {
      faults.push(`agent ${tokenId} is missing`);
      continue;
    }
    const expected = {
      owner: agent.owner,
      uri: agent.uri,
      score: agent.ratingCount === 0 ? null : mean(agent),
      feedbackCount: agent.ratingCount,
      ...(agent.isCertain && {
        name: agent.lastFile?.name ?? `Agent #${tokenId}`,
        hasMcp: agent.lastFile?.hasMcp ?? false,
        skills: agent.lastFile?.skills ?? [],
      }),
    };
    const said = { ...one, uri: one.uri ?? '', skills: one.skills.map(({ slug }) => slug) };
    for (const [name, value] of Object.entries(expected)) {
      if (!isDeepStrictEqual(said[name], value)) {
        faults.push(`agent ${tokenId}: ${name} is ${text(said[name])} instead of ${text(value)}`);
      }
    }
  }
  return faults;
}

function feedbackFaults({ tokenId, feedback }, seen) {
  const expected = feedback.map(viewOf).sort();
  const said = seen
    .map((one) =>
      viewOf({
        source: one.source,
        client: one.clientAddress,
        index: one.feedbackIndex,
        uid: one.attestationUid,
        value: one.value,
        valueDecimals: one.valueDecimals,
        score: one.score,
        isRating: one.isRating,
        tags: one.tags,
        isRevoked: one.revoked,
        responses: one.responses.length,
      }),
    )
    .sort();
  const missing = expected.filter((one) => !said.includes(one));
  const surplus = said.filter((one) => !expected.includes(one));
  const faults = missing.map((one) => `agent ${tokenId}: feedback is missing: ${one}`);
  faults.push(...surplus.map((one) => `agent ${tokenId}: feedback is not on the chain: ${one}`));
  if (new Set(said).size !== said.length) faults.push(`agent ${tokenId}: feedback is there twice`);
  return faults;
}

function viewOf({ source, client, index, uid, value, valueDecimals, score, isRating, tags, isRevoked, responses }) {
  const id = source === 'eas' ? uid : `${index} ${value}e-${valueDecimals}`;
  return `${source} ${client} ${id} ${score} ${isRating} ${tags.join('|')} ${isRevoked} ${responses}`;
}

const text = (value) => JSON.stringify(value) ?? 'absent';
