import type { SessionRefusal } from '../decision';
import type { ActionKind, QueuedInputType } from '../session-state';
import { openAnswers, tellAnswers, trackToolUse } from './actions';
import type { SessionEventInput } from './inputs';
import { MAX_OUTCOMES, MAX_OUTCOME_DESCRIPTION_LENGTH, MAX_QUEUED_INPUTS } from './limits';
import { conflict, invalid } from './refusals';
import { fenceRun, startNextRun } from './run-course';
import type { SessionChange } from './session-change';
import { answeredToolUse, isActionKind, remainingAnswers } from './tool-kinds';

/** What the events of one send do, one after the other, to the state as it evolves. */
export class SendBatch {
  /** Answers that the run waited for, and is to be told. */
  private resolved: string[] = [];
  /** Where a `system.message` belongs: to the event before it. */
  private companions: 'queue' | 'resolved' | 'held' | 'none' = 'none';

  constructor(private readonly change: SessionChange) {}

  /** Gives a refusal when the event, and so the batch, cannot be. */
  take(event: SessionEventInput, where: string): SessionRefusal | undefined {
    if (event.type === 'system.message') return this.takeSystemMessage(event);
    if (isActionKind(event.type)) return this.takeAnswer(event, event.type, where);
    this.settleAnswers();
    switch (event.type) {
      case 'user.message':
      case 'user.define_outcome':
        return this.takeInput(event, event.type, where);
      case 'user.interrupt':
        return this.takeInterrupt(event, where);
      default:
        return invalid(`${event.type} cannot be sent`, `${where}.type`);
    }
  }

  /** What follows from the events that were taken last. */
  settle(): void {
    this.settleAnswers();
    startNextRun(this.change);
  }

  private takeInput(event: SessionEventInput, type: QueuedInputType, where: string): SessionRefusal | undefined {
    const { queue, outcomes } = this.change.state;
    if (queue.length >= MAX_QUEUED_INPUTS) return tooManyInputs();
    let fields: Readonly<Record<string, unknown>> = event;
    if (type === 'user.define_outcome') {
      if (outcomes.length >= MAX_OUTCOMES) return conflict(`The session has ${MAX_OUTCOMES} outcomes already`);
      if (String(event['description']).length > MAX_OUTCOME_DESCRIPTION_LENGTH) {
        return invalid(`At most ${MAX_OUTCOME_DESCRIPTION_LENGTH} characters are taken`, `${where}.description`);
      }
      fields = this.defineOutcome(event);
    }
    const eventId = this.change.emit(type, fields, { isQueued: type !== 'user.define_outcome' });
    this.change.set({ queue: [...queue, { eventId, type }] });
    this.companions = 'queue';
    return undefined;
  }

  private defineOutcome(event: SessionEventInput): Readonly<Record<string, unknown>> {
    const outcomeId = this.change.ctx.newId('outc');
    const outcome = {
      type: 'outcome_evaluation',
      outcome_id: outcomeId,
      description: String(event['description']),
      result: 'pending',
      iteration: 0,
      explanation: null,
      completed_at: null,
    } as const;
    this.change.set({ outcomes: [...this.change.state.outcomes, outcome] });
    return { ...event, max_iterations: event['max_iterations'] ?? null, outcome_id: outcomeId };
  }

  private takeAnswer(event: SessionEventInput, kind: ActionKind, where: string): SessionRefusal | undefined {
    const { change } = this;
    const toolUseId = answeredToolUse(event);
    const place = `${where}.${kind === 'user.custom_tool_result' ? 'custom_tool_use_id' : 'tool_use_id'}`;
    const open = openAnswers(change, toolUseId);
    if (open.length === 0) {
      const isKnown = change.typeOf(toolUseId) !== undefined;
      return invalid(isKnown ? `${toolUseId} waits for no answer` : `${toolUseId} is no event of this session`, place);
    }
    if (!open.includes(kind)) return invalid(`${toolUseId} is answered by ${open.join(' or ')}`, place);
    const { run, pending, heldAnswers } = change.state;
    if (run === null) return invalid(`${toolUseId} waits for no answer`, place);
    const eventId = change.emit(kind, event, { runId: run.id });
    trackToolUse(change, {
      eventId: toolUseId,
      runId: run.id,
      answeredBy: remainingAnswers(open, { kind, isAllowed: event['result'] === 'allow' }),
    });
    const rest = pending.filter((action) => action.eventId !== toolUseId);
    if (rest.length < pending.length) {
      change.set({ pending: rest });
      this.resolved.push(eventId);
      this.companions = 'resolved';
    } else {
      change.set({ heldAnswers: [...heldAnswers, { toolUseId, inputIds: [eventId] }] });
      this.companions = 'held';
    }
    return undefined;
  }

  private takeSystemMessage(event: SessionEventInput): SessionRefusal | undefined {
    const { change } = this;
    const { queue, heldAnswers } = change.state;
    if (this.companions === 'queue') {
      if (queue.length >= MAX_QUEUED_INPUTS) return tooManyInputs();
      const eventId = change.emit(event.type, event, { isQueued: true });
      change.set({ queue: [...queue, { eventId, type: 'system.message' }] });
      return undefined;
    }
    const eventId = change.emit(event.type, event);
    if (this.companions === 'resolved') this.resolved.push(eventId);
    const last = heldAnswers.at(-1);
    if (this.companions === 'held' && last !== undefined) {
      const held = { ...last, inputIds: [...last.inputIds, eventId] };
      change.set({ heldAnswers: [...heldAnswers.slice(0, -1), held] });
    }
    return undefined;
  }

  private takeInterrupt(event: SessionEventInput, where: string): SessionRefusal | undefined {
    const { change } = this;
    const threadId = event['session_thread_id'] ?? null;
    if (threadId !== null && threadId !== change.state.threadId) {
      return invalid('No such thread in this session', `${where}.session_thread_id`);
    }
    // What was sent before the interrupt is what it is to stop.
    startNextRun(change);
    const eventId = change.emit(event.type, event);
    fenceRun(change, [eventId]);
    return undefined;
  }

  private settleAnswers(): void {
    tellAnswers(this.change, this.resolved);
    this.resolved = [];
  }
}

function tooManyInputs(): SessionRefusal {
  return conflict(`More than ${MAX_QUEUED_INPUTS} inputs would wait`);
}
