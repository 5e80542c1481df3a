import type { MetadataSetFact, RegisteredFact, TransferFact, UriUpdatedFact, ChainFact } from '../facts';
import { withMetadata } from './agent-metadata';
import { agentKey, fileKey, type AgentValue, type FileValue } from './documents';
import { agentName, stepToUri, type FileStep, type RegistrationDetail } from './file-state';
import type { LedgerRun, Origin } from './ledger-run';
import { settleFile } from './observations';

const NOBODY = `0x${'0'.repeat(40)}`;

type IdentityFact = RegisteredFact | TransferFact | UriUpdatedFact | MetadataSetFact;

/** What one transaction says of one agent in the identity registry: what belongs to one change of it. */
interface IdentityGroup {
  readonly metadata: MetadataSetFact[];
  /** There is a registration among the facts, and, once it is told, that it was one of a new agent. */
  hasRegistration: boolean;
  isRegistered: boolean;
  uri: string | undefined;
  owner: string | undefined;
  isUpdated: boolean;
}

/** The facts of one transaction about the identity of agents, by agent. */
export class IdentityGroups {
  readonly #groups = new Map<string, IdentityGroup>();

  add(fact: IdentityFact): void {
    let group = this.#groups.get(fact.tokenId);
    if (group === undefined) {
      group = {
        metadata: [],
        hasRegistration: false,
        isRegistered: false,
        uri: undefined,
        owner: undefined,
        isUpdated: false,
      };
      this.#groups.set(fact.tokenId, group);
    }
    if (fact.kind === 'registered') group.hasRegistration = true;
    else if (fact.kind === 'metadata_set') group.metadata.push(fact);
    else if (fact.kind === 'uri_updated') group.uri = fact.uri;
    else if (fact.kind === 'transfer' && fact.from !== NOBODY) group.owner = fact.to;
  }

  of({ tokenId }: IdentityFact): IdentityGroup | undefined {
    return this.#groups.get(tokenId);
  }
}

export function isIdentityFact(fact: ChainFact): fact is IdentityFact {
  return (
    fact.kind === 'registered' ||
    fact.kind === 'transfer' ||
    fact.kind === 'uri_updated' ||
    fact.kind === 'metadata_set'
  );
}

/** Facts come in the order of their logs; what belongs together is told at the first of them. */
export function applyIdentityFact(run: LedgerRun, origin: Origin, fact: IdentityFact, groups: IdentityGroups): void {
  const group = groups.of(fact);
  // Of a mint everything is told by the registration.
  if (group === undefined || (fact.kind === 'transfer' && fact.from === NOBODY)) return;
  if (fact.kind === 'registered') {
    register(run, origin, fact, group);
    return;
  }
  if (fact.kind === 'metadata_set' && group.isRegistered) return;
  const agent = run.find<AgentValue>(agentKey(fact.tokenId));
  if (agent === undefined) {
    // A registration that is still to come in this transaction tells of it.
    if (fact.kind !== 'metadata_set' || !group.hasRegistration) run.ignore('unknown_agent');
    return;
  }
  if (!group.isUpdated) update(run, origin, fact.tokenId, agent, group);
  if (fact.kind === 'transfer') run.emit(origin, 'agent_transferred', fact.tokenId, { from: fact.from, to: fact.to });
}

function register(run: LedgerRun, origin: Origin, fact: RegisteredFact, group: IdentityGroup): void {
  const { tokenId, owner, uri } = fact;
  if (run.find(agentKey(tokenId)) !== undefined) {
    run.ignore('duplicate_registration');
    return;
  }
  group.isRegistered = true;
  const bare: AgentValue = { owner, metadata: {}, ratingSum: 0, ratingCount: 0 };
  const { agent } = withMetadata(bare, group.metadata);
  const step = stepToUri(undefined, uri, tokenId, run.context);
  const { file } = step.value;
  run.put(agentKey(tokenId), agent);
  run.emit(origin, 'agent_registered', tokenId, {
    name: agentName(file, tokenId),
    owner,
    hasMcp: file?.mcpEndpoint !== undefined,
    hasA2a: file?.a2aEndpoint !== undefined,
    registration: { ...step.detail, ...agentDetail(agent) },
  });
  settleFile(run, origin, tokenId, step);
}

function update(run: LedgerRun, origin: Origin, tokenId: string, before: AgentValue, group: IdentityGroup): void {
  group.isUpdated = true;
  const changes: string[] = [];
  let registration: RegistrationDetail = {};
  let step: FileStep | undefined;
  let agent = before;
  if (group.uri !== undefined) {
    step = stepToUri(run.find<FileValue>(fileKey(tokenId)), group.uri, tokenId, run.context);
    changes.push('agentURI', ...step.changes);
    registration = step.detail;
  }
  if (group.owner !== undefined) {
    agent = { ...agent, owner: group.owner };
    changes.push('owner');
  }
  if (!group.isRegistered && group.metadata.length > 0) {
    const result = withMetadata(agent, group.metadata);
    agent = result.agent;
    changes.push(...result.changes);
    if (result.changes.includes('agentWallet')) registration = { ...registration, wallet: agent.wallet ?? null };
    if (result.isKeptChanged) registration = { ...registration, metadata: agent.metadata };
  }
  run.put(agentKey(tokenId), agent);
  const detail = Object.keys(registration).length === 0 ? {} : { registration };
  run.emit(origin, 'agent_updated', tokenId, { changes, ...detail });
  if (step !== undefined) settleFile(run, origin, tokenId, step);
}

/** What the chain itself says of an agent, beside its file. */
export function agentDetail({ wallet, metadata }: AgentValue): RegistrationDetail {
  return {
    ...(wallet !== undefined && { wallet }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}
