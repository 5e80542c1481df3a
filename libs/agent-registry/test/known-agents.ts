import type { ChainDocument } from '../src';
import { meanScore } from '../src';
import type {
  AgentValue,
  AttestationValue,
  ClassValue,
  FeedbackValue,
  FileValue,
  ReachValue,
} from '../src/ledger/documents';
import { fileOf, type FoldedAgent } from './folded-agents';
import { CHAIN_ID } from './samples';

type KnownAgent = Omit<FoldedAgent, 'validations' | 'feedback'> & { readonly feedback: object };

/** Agents as the documents of the ledger know them: what whoever folds their events has to know, too. */
export function knownAgents(documents: ReadonlyMap<string, ChainDocument>): Record<string, KnownAgent> {
  const agents: [string, KnownAgent][] = [];
  for (const [key, { value }] of documents) {
    if (!key.startsWith('agent/')) continue;
    const tokenId = key.slice('agent/'.length);
    agents.push([`${CHAIN_ID}:${tokenId}`, agentOf(documents, tokenId, value as AgentValue)]);
  }
  return Object.fromEntries(agents.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function agentOf(documents: ReadonlyMap<string, ChainDocument>, tokenId: string, agent: AgentValue): KnownAgent {
  const file = documents.get(`file/${tokenId}`)?.value as FileValue;
  const reach = documents.get(`reach/${tokenId}`)?.value as ReachValue | undefined;
  const classes = (documents.get(`class/${tokenId}`)?.value as ClassValue | undefined)?.announced;
  const slugs = (list: readonly { slug: string }[] = []) => list.map(({ slug }) => slug);
  const name = file.file?.name || `Agent #${tokenId}`;
  return {
    owner: agent.owner,
    name,
    uri: file.uri,
    file: fileOf(file.file && ({ ...file.file, name } as FoldedAgent['file'])),
    error: file.error,
    wallet: agent.wallet,
    metadata: agent.metadata,
    score: meanScore(agent.ratingSum, agent.ratingCount),
    feedbackCount: agent.ratingCount,
    feedback: feedbackOf(documents, tokenId),
    reach: [reach?.mcp.said ?? false, reach?.a2a.said ?? false],
    classes: [slugs(classes?.skills), slugs(classes?.domains), classes?.confidence ?? 0],
  };
}

function feedbackOf(documents: ReadonlyMap<string, ChainDocument>, tokenId: string): object {
  const found: Record<string, object> = {};
  const prefix = `feedback/${tokenId}/`;
  for (const [key, { value }] of documents) {
    if (key.startsWith(prefix)) {
      const { score, isRating, isRevoked } = value as FeedbackValue;
      found[key.slice(prefix.length)] = { score, isRating, isRevoked };
    } else if (key.startsWith('attestation/') && (value as AttestationValue).tokenId === tokenId) {
      const { score, isRevoked } = value as AttestationValue;
      found[key.slice('attestation/'.length)] = { score, isRating: true, isRevoked };
    }
  }
  return found;
}

/** What of a fold the documents know, in their form. */
export function comparable(agents: Record<string, FoldedAgent>): Record<string, KnownAgent> {
  return Object.fromEntries(
    Object.entries(agents).map(([id, { validations: _validations, feedback, ...agent }]) => {
      const withoutResponses = Object.entries(feedback).map(([key, { responses: _, ...rest }]) => [key, rest]);
      return [id, { ...agent, feedback: Object.fromEntries(withoutResponses) }];
    }),
  );
}
