import type { ChainDocument } from '../chain-store';
import { toDomainClasses, toSkillClasses } from '../taxonomy';
import { classificationInputOf } from './classification-input';
import { agentKey, classKey, fileKey, type AgentValue, type ClassValue, type FileValue } from './documents';
import { LedgerRun, OFF_CHAIN } from './ledger-run';
import type { LedgerContext, LedgerOutcome } from './ledger-types';
import { announceClasses } from './observations';
import type { ClassificationRequest, ClassificationResult } from './off-chain-types';

/** Between a failed classification and the next one lies at least and at most this long. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 7 * 24 * 3_600_000;

/** What a due document of kind `class` asks for, from the documents of `classificationKeys`. */
export function classificationRequestOf(
  documents: ReadonlyMap<string, ChainDocument>,
  tokenId: string,
): ClassificationRequest | undefined {
  const classes = documents.get(classKey(tokenId))?.value as ClassValue | undefined;
  const { file } = (documents.get(fileKey(tokenId))?.value ?? {}) as Partial<FileValue>;
  const agent = documents.get(agentKey(tokenId))?.value as AgentValue | undefined;
  if (classes?.status !== 'pending' || file === undefined || agent === undefined) return undefined;
  const owner = agent.owner.toLowerCase();
  return { tokenId, owner, inputHash: classes.inputHash, ...classificationInputOf(file, tokenId) };
}

/**
 * What a classification makes of the documents of `classificationKeys`. There is an event when the classes are others than
 * before. A classification of what the agent no longer says of itself is ignored, and so are classes beyond the taxonomy.
 */
export function applyClassification(
  documents: ReadonlyMap<string, ChainDocument>,
  tokenId: string,
  result: ClassificationResult,
  context: LedgerContext,
): LedgerOutcome {
  const run = new LedgerRun(documents, context);
  const key = classKey(tokenId);
  const before = run.find<ClassValue>(key);
  const isWanted = before?.status === 'pending' && before.inputHash === result.inputHash;
  if (!isWanted || run.find(agentKey(tokenId)) === undefined) {
    run.ignore('outdated_result');
    return run.outcome();
  }
  if (result.status === 'failed') {
    const retryDelayMs = Math.min(Math.max(Math.trunc(result.retryAfterMs) || 0, MIN_RETRY_MS), MAX_RETRY_MS);
    run.put(key, before, context.nowMs + retryDelayMs);
    return run.outcome();
  }
  const announced = {
    skills: toSkillClasses(result.skills.map(({ slug }) => slug)),
    domains: toDomainClasses(result.domains.map(({ slug }) => slug)),
    confidence: Math.min(Math.max(result.confidence || 0, 0), 1),
  };
  announceClasses(run, OFF_CHAIN, tokenId, before.announced, announced);
  run.put(key, { inputHash: before.inputHash, status: 'classified', model: result.model, announced });
  return run.outcome();
}
