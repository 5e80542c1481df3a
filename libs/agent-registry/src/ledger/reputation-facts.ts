import { MAX_REGISTRY_LABEL_LENGTH, MAX_REGISTRY_TEXT_LENGTH } from '@sluice/event-schema';
import { cleanText } from '../clean-text';
import type { FeedbackGivenFact, FeedbackRevokedFact, ResponseAppendedFact } from '../facts';
import { isRating, meanScore, scoreOfFeedback } from '../scores';
import { agentKey, clientKey, feedbackKey, type AgentValue, type ClientValue, type FeedbackValue } from './documents';
import type { EventFields, LedgerRun, Origin } from './ledger-run';

const FEEDBACK_INDEX = /^(?:0|[1-9][0-9]{0,19})$/;
const FEEDBACK_VALUE = /^-?(?:0|[1-9][0-9]{0,77})$/;

type Feedback = EventFields<'feedback_received'>['feedback'];

export function applyFeedbackGiven(run: LedgerRun, origin: Origin, fact: FeedbackGivenFact): void {
  const { tokenId, client, value, valueDecimals } = fact;
  const agent = run.find<AgentValue>(agentKey(tokenId));
  if (agent === undefined) return run.ignore('unknown_agent');
  const isWellFormed = FEEDBACK_VALUE.test(value) && valueDecimals >= 0 && valueDecimals <= 255;
  if (!isWellFormed || (fact.feedbackIndex !== undefined && !FEEDBACK_INDEX.test(fact.feedbackIndex)))
    return run.ignore('malformed_fact');
  const feedbackIndex = fact.feedbackIndex ?? nextIndex(run, tokenId, client);
  const key = feedbackKey(tokenId, client, feedbackIndex);
  if (run.find(key) !== undefined) return run.ignore('duplicate_feedback');
  const score = scoreOfFeedback(value, valueDecimals);
  const rates = isRating(fact.tag1, fact.tag2);
  const tags = labelsOf([fact.tag1, fact.tag2]);
  const entry: FeedbackValue = { score, isRating: rates, isRevoked: false };
  run.put(key, entry);
  const feedback: Feedback = {
    source: 'registry',
    clientAddress: client,
    feedbackIndex,
    value,
    valueDecimals,
    score,
    isRating: rates,
    tags,
    endpoint: fact.endpoint === '' ? undefined : cleanText(fact.endpoint, MAX_REGISTRY_TEXT_LENGTH),
    feedbackUri: fact.feedbackUri === '' ? undefined : cleanText(fact.feedbackUri, MAX_REGISTRY_TEXT_LENGTH),
    feedbackHash: fact.feedbackHash,
  };
  if (rates) rate(run, origin, tokenId, agent, score, feedback);
  else run.emit(origin, 'feedback_received', tokenId, { feedback });
}

/** Contracts 1.0.0 number feedback without saying so. */
function nextIndex(run: LedgerRun, tokenId: string, client: string): string {
  const key = clientKey(tokenId, client);
  const count = (run.find<ClientValue>(key)?.count ?? 0) + 1;
  run.put(key, { count });
  return String(count);
}

export function applyFeedbackRevoked(run: LedgerRun, origin: Origin, fact: FeedbackRevokedFact): void {
  const { tokenId, client, feedbackIndex } = fact;
  const agent = run.find<AgentValue>(agentKey(tokenId));
  if (agent === undefined) return run.ignore('unknown_agent');
  const key = feedbackKey(tokenId, client, feedbackIndex);
  const entry = run.find<FeedbackValue>(key);
  if (entry === undefined) return run.ignore('unknown_feedback');
  if (entry.isRevoked) return run.ignore('revoked_already');
  run.put(key, { ...entry, isRevoked: true });
  run.emit(origin, 'feedback_revoked', tokenId, { clientAddress: client, feedbackIndex });
  if (entry.isRating) takeBackRating(run, origin, tokenId, agent, entry.score);
}

export function applyResponseAppended(run: LedgerRun, origin: Origin, fact: ResponseAppendedFact): void {
  const { tokenId, client, feedbackIndex, responder, responseHash } = fact;
  if (run.find(agentKey(tokenId)) === undefined) return run.ignore('unknown_agent');
  if (run.find(feedbackKey(tokenId, client, feedbackIndex)) === undefined) return run.ignore('unknown_feedback');
  run.emit(origin, 'feedback_response', tokenId, {
    clientAddress: client,
    feedbackIndex,
    responder,
    responseUri: cleanText(fact.responseUri, MAX_REGISTRY_TEXT_LENGTH),
    responseHash,
  });
}

/** Counts a rating of the agent, and says what its score is now. */
export function rate(
  run: LedgerRun,
  origin: Origin,
  tokenId: string,
  agent: AgentValue,
  score: number,
  feedback: Feedback,
): void {
  const latestFeedback = { score, tags: feedback.tags };
  changeScore(run, origin, tokenId, agent, score, 1, { latestFeedback, feedback });
}

/** Counts a rating no more, and says what the agent's score is now. */
export function takeBackRating(
  run: LedgerRun,
  origin: Origin,
  tokenId: string,
  agent: AgentValue,
  score: number,
): void {
  changeScore(run, origin, tokenId, agent, -score, -1, {});
}

function changeScore(
  run: LedgerRun,
  origin: Origin,
  tokenId: string,
  agent: AgentValue,
  sum: number,
  count: number,
  details: Pick<EventFields<'reputation_change'>, 'latestFeedback' | 'feedback'>,
): void {
  const ratingSum = agent.ratingSum + sum;
  const ratingCount = agent.ratingCount + count;
  run.put(agentKey(tokenId), { ...agent, ratingSum, ratingCount });
  run.emit(origin, 'reputation_change', tokenId, {
    previousScore: meanScore(agent.ratingSum, agent.ratingCount),
    newScore: meanScore(ratingSum, ratingCount),
    feedbackCount: ratingCount,
    ...details,
  });
}

function labelsOf(texts: readonly string[]): readonly string[] {
  const labels: string[] = [];
  for (const text of texts) {
    const label = text === '' ? '' : cleanText(text, MAX_REGISTRY_LABEL_LENGTH);
    if (label !== '') labels.push(label);
  }
  return labels;
}
