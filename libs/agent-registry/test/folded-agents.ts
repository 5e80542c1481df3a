import type { EventEnvelope, RegistryEventData, RegistryEventType } from '@sluice/event-schema';

type Registration = NonNullable<RegistryEventData<'agent_registered'>['registration']>;

interface Feedback {
  readonly score: number;
  readonly isRating: boolean;
  isRevoked: boolean;
  responses: string[];
}

/** An agent as whoever folds its events knows it. */
export interface FoldedAgent {
  owner: string;
  name: string;
  uri: Registration['uri'];
  file: Registration['file'];
  error: Registration['error'];
  wallet: Registration['wallet'];
  metadata: Registration['metadata'];
  score: number;
  feedbackCount: number;
  feedback: Record<string, Feedback>;
  reach: readonly [mcp: boolean, a2a: boolean];
  classes: readonly [skills: readonly string[], domains: readonly string[], confidence: number];
  validations: string[];
}

/** What events make of agents, compensations included: the model of what a projection does. */
export function foldAgents(events: readonly EventEnvelope[]): Record<string, FoldedAgent> {
  const agents = new Map<string, FoldedAgent>();
  for (const { type, entityId, data } of events) {
    const agent = agents.get(entityId);
    if (type === 'agent_registered') {
      if (agent !== undefined) throw new Error(`${entityId} is registered twice`);
      agents.set(entityId, newAgent(data as RegistryEventData<'agent_registered'>));
    } else if (agent === undefined) throw new Error(`${type} of ${entityId}, which there is not`);
    else if (type === 'agent_registration_reverted') agents.delete(entityId);
    else FOLDS[type as FoldedType](agent, data as never);
  }
  return Object.fromEntries([...agents].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function newAgent({ owner, name, registration = {} }: RegistryEventData<'agent_registered'>): FoldedAgent {
  const { uri, file, error, wallet, metadata = {} } = registration;
  return {
    ...{ owner, name, uri, file: fileOf(file), error, wallet, metadata },
    score: 0,
    feedbackCount: 0,
    feedback: {},
    reach: [false, false],
    classes: [[], [], 0],
    validations: [],
  };
}

/** A file that says nothing is how events take a file away. */
export function fileOf(file: Registration['file']): Registration['file'] {
  if (file === undefined) return undefined;
  const { name, services, supportedTrust, declaredSkills, declaredDomains, ...rest } = file;
  const lists = [services, supportedTrust, declaredSkills, declaredDomains];
  const isEmpty = lists.every(({ length }) => length === 0) && Object.keys(rest).length === 0;
  return isEmpty && /^Agent #\d+$/.test(name) ? undefined : file;
}

type FoldedType = Exclude<RegistryEventType, 'agent_registered' | 'agent_registration_reverted'>;
type Folds = { readonly [T in FoldedType]: (agent: FoldedAgent, data: RegistryEventData<T>) => void };

const registryKey = (data: { clientAddress: string; feedbackIndex?: string | undefined }) =>
  `${data.clientAddress}/${data.feedbackIndex}`;

function feedbackOf(agent: FoldedAgent, key: string): Feedback {
  const feedback = agent.feedback[key];
  if (feedback === undefined) throw new Error(`there is no feedback ${key}`);
  return feedback;
}

function addFeedback(agent: FoldedAgent, feedback: RegistryEventData<'feedback_received'>['feedback']): void {
  const key = feedback.attestationUid ?? registryKey(feedback);
  if (agent.feedback[key] !== undefined) throw new Error(`feedback ${key} is given twice`);
  agent.feedback[key] = { score: feedback.score, isRating: feedback.isRating, isRevoked: false, responses: [] };
}

function removeLast(list: string[], item: string): void {
  const at = list.lastIndexOf(item);
  if (at < 0) throw new Error(`there is no ${item}`);
  list.splice(at, 1);
}

const FOLDS: Folds = {
  agent_updated: (agent, { registration = {} }) => {
    const { uri, file, error, wallet, metadata } = registration;
    if (file !== undefined) Object.assign(agent, { name: file.name, file: fileOf(file) });
    if (uri !== undefined) Object.assign(agent, { uri, error });
    if (wallet !== undefined) agent.wallet = wallet;
    if (metadata !== undefined) agent.metadata = metadata;
  },
  agent_update_reverted: (agent, { registration }) => {
    if (registration === undefined) return;
    const { uri, file, error, wallet, metadata = {} } = registration;
    if (file === undefined) throw new Error('an undone update says nothing of the file');
    Object.assign(agent, { name: file.name, file: fileOf(file), uri, error, wallet, metadata });
  },
  agent_transferred: (agent, { from, to }) => {
    if (agent.owner !== from) throw new Error(`${from} does not own what it transfers`);
    agent.owner = to;
  },
  agent_transfer_reverted: (agent, { from }) => {
    agent.owner = from;
  },
  reputation_change: (agent, { previousScore, newScore, feedbackCount, feedback }) => {
    if (agent.score !== previousScore) throw new Error(`the score was ${agent.score}, not ${previousScore}`);
    if (Math.abs(agent.feedbackCount - feedbackCount) !== 1) throw new Error('a change of more than one rating');
    Object.assign(agent, { score: newScore, feedbackCount });
    if (feedback !== undefined) addFeedback(agent, feedback);
  },
  feedback_received: (agent, { feedback }) => addFeedback(agent, feedback),
  feedback_revoked: (agent, data) => {
    feedbackOf(agent, registryKey(data)).isRevoked = true;
  },
  feedback_response: (agent, data) => {
    feedbackOf(agent, registryKey(data)).responses.push(data.responder);
  },
  feedback_reverted: (agent, data) => {
    feedbackOf(agent, registryKey(data));
    delete agent.feedback[registryKey(data)];
  },
  feedback_revocation_reverted: (agent, data) => {
    feedbackOf(agent, registryKey(data)).isRevoked = false;
  },
  feedback_response_reverted: (agent, data) =>
    removeLast(feedbackOf(agent, registryKey(data)).responses, data.responder),
  new_attestation: () => undefined,
  attestation_revoked: (agent, { attestationUid }) => {
    feedbackOf(agent, attestationUid).isRevoked = true;
  },
  attestation_reverted: (agent, { attestationUid }) => {
    feedbackOf(agent, attestationUid);
    delete agent.feedback[attestationUid];
  },
  attestation_revocation_reverted: (agent, { attestationUid }) => {
    feedbackOf(agent, attestationUid).isRevoked = false;
  },
  reachability_update: (agent, { mcpReachable, a2aReachable, previousMcp, previousA2a }) => {
    if (agent.reach[0] !== previousMcp || agent.reach[1] !== previousA2a) throw new Error('another reach than before');
    agent.reach = [mcpReachable, a2aReachable];
  },
  classification_complete: (agent, { skills, domains, confidence }) => {
    agent.classes = [skills.map(({ slug }) => slug), domains.map(({ slug }) => slug), confidence];
  },
  validation_requested: (agent, { requestHash }) => {
    agent.validations.push(`request ${requestHash}`);
  },
  validation_responded: (agent, { requestHash }) => {
    agent.validations.push(`response ${requestHash}`);
  },
  validation_request_reverted: (agent, { requestHash }) => removeLast(agent.validations, `request ${requestHash}`),
  validation_response_reverted: (agent, { requestHash }) => removeLast(agent.validations, `response ${requestHash}`),
};
