import type { Decision, DecisionContext, SessionRefusal } from '../decision';
import type { SessionState } from '../session-state';
import { isReportable, takeEngineEvent } from './engine-events';
import type { EngineReport } from './inputs';
import { MAX_REPORTED_EVENTS } from './limits';
import { conflict, invalid, refused } from './refusals';
import { fenceHopelessRun, renewDeadline } from './run-course';
import { SessionChange } from './session-change';
import { addUsage, faultOfDelta } from './usage';

/**
 * Events of an engine, of the active run: all of them are taken, or none. A run that is over may report no more
 * (`conflict`): its engine has to stop. A run ends with the event that says so, which is the last of its report; then what
 * is queued starts the next one.
 */
export function decideReport(state: SessionState, report: EngineReport, ctx: DecisionContext): Decision {
  if (state.run?.id !== report.runId) return refused(conflict('The run is not the active run of the session'));
  const refusal = refusalOfShape(report);
  if (refusal !== undefined) return refused(refusal);
  const change = new SessionChange(state, ctx);
  for (const [index, event] of report.events.entries()) {
    const where = `events[${index}]`;
    if (change.state.run?.id !== report.runId) return refused(invalid('The event before it ended the run', where));
    const fault = takeEngineEvent(change, event, where);
    if (fault !== undefined) return refused(fault);
  }
  if (report.usageDelta !== undefined) change.set({ usage: addUsage(change.state.usage, report.usageDelta) });
  if (change.state.run?.id === report.runId) {
    renewDeadline(change);
    fenceHopelessRun(change);
  }
  return change.accept();
}

function refusalOfShape({ events, usageDelta }: EngineReport): SessionRefusal | undefined {
  if (events.length === 0) return invalid('At least one event is required', 'events');
  if (events.length > MAX_REPORTED_EVENTS) {
    return invalid(`At most ${MAX_REPORTED_EVENTS} events can be reported at once`, 'events');
  }
  const index = events.findIndex((event) => !isReportable(event.type));
  const type = events[index]?.type;
  if (type !== undefined) return invalid(`Engines cannot report ${type}`, `events[${index}].type`);
  const fault = usageDelta === undefined ? undefined : faultOfDelta(usageDelta);
  return fault === undefined ? undefined : invalid('A whole number, 0 or more, is required', `usage_delta.${fault}`);
}
