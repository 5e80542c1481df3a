import type { OutcomeEvaluation } from '../session-state';
import type { SessionEventInput } from './inputs';
import { MAX_SHOWN_EXPLANATION_LENGTH } from './limits';
import type { SessionChange } from './session-change';

const TERMINAL_RESULTS: readonly unknown[] = ['satisfied', 'max_iterations_reached', 'failed', 'interrupted'];

/** Notes what an engine says of an outcome. Sluice evaluates none itself. */
export function noteEvaluation(change: SessionChange, event: SessionEventInput): void {
  if (!event.type.startsWith('span.outcome_evaluation_')) return;
  change.set({
    outcomes: change.state.outcomes.map((outcome) =>
      outcome.outcome_id === event['outcome_id'] ? evaluated(outcome, event, change.nowMs) : outcome,
    ),
  });
}

function evaluated(outcome: OutcomeEvaluation, event: SessionEventInput, nowMs: number): OutcomeEvaluation {
  const iteration = typeof event['iteration'] === 'number' ? event['iteration'] : outcome.iteration;
  if (event.type !== 'span.outcome_evaluation_end') return { ...outcome, iteration, result: 'evaluating' };
  const explanation = shownExplanation(event['explanation']);
  return TERMINAL_RESULTS.includes(event['result'])
    ? {
        ...outcome,
        iteration,
        explanation,
        result: String(event['result']),
        completed_at: new Date(nowMs).toISOString(),
      }
    : { ...outcome, iteration, explanation, result: 'running' };
}

function shownExplanation(explanation: unknown): string | null {
  return typeof explanation === 'string' ? explanation.slice(0, MAX_SHOWN_EXPLANATION_LENGTH) : null;
}
