import {
  agentView,
  isUntoldForLong,
  sessionView,
  type ClaimedDispatch,
  type RunDispatch,
  type SessionState,
  type SessionStore,
} from '@sluice/agent-sessions';
import type { EventFeed } from '@sluice/delivery';
import { sessionEnvelopeId } from '@sluice/event-schema';
import type { SessionEvents } from '@sluice/projections';
import type { Clock } from '../clock';
import type { EngineCall } from './engine';
import type { FileContents } from './file-contents';

export interface RunCallPorts {
  readonly store: Pick<SessionStore, 'load' | 'lastState'>;
  readonly events: Pick<SessionEvents, 'byIds'>;
  readonly feed: Pick<EventFeed, 'expect'>;
  readonly files: Pick<FileContents, 'expand'>;
  readonly clock: Clock;
  /** Where engines report, by session and run. */
  readonly callbackUrl: (sessionId: string, runId: string) => string;
  /** How long what is to be told may take to be recorded. */
  readonly inputWaitMs: number;
  /** How long a run may be silent. */
  readonly runTimeoutMs: number;
}

/** What is to be told, or why not: it is out of date, not all of it is recorded yet, or what a run is to work on is gone. */
export type RunCall =
  | { readonly kind: 'tell'; readonly call: EngineCall; readonly isLate: boolean }
  /** Late: its run has lost so much of its time already that it is to have it anew. */
  | { readonly kind: 'not_yet'; readonly isLate: boolean }
  | { readonly kind: 'not_kept' }
  | { readonly kind: 'outdated' };

/** Makes what engines are told of what sessions decided. */
export class RunCalls {
  constructor(private readonly ports: RunCallPorts) {}

  /** @throws SluiceError `read_model_unavailable`, `file_store_unavailable`, `overloaded` */
  async of({ workspaceId, sessionId, dispatch }: ClaimedDispatch): Promise<RunCall> {
    const { store, files, clock } = this.ports;
    const state = (await store.load(workspaceId, sessionId))?.state ?? (await store.lastState(sessionId));
    if (state === undefined) return { kind: 'outdated' };
    const isOfRun = dispatch.type === 'run.start' || dispatch.type === 'run.input';
    // Fenced meanwhile: the engine would only be told that it reports in vain.
    if (isOfRun && state.run?.id !== dispatch.runId) return { kind: 'outdated' };
    const inputs = await this.inputs(workspaceId, sessionId, dispatch);
    const isLate = isOfRun && isUntoldForLong(state, clock.now(), this.ports.runTimeoutMs);
    if (inputs === 'not_yet') return { kind: 'not_yet', isLate };
    if (inputs === 'not_kept' && isOfRun) return { kind: 'not_kept' };
    return {
      kind: 'tell',
      isLate,
      call: {
        type: dispatch.type,
        session_id: sessionId,
        run_id: dispatch.runId,
        input_events: inputs === 'not_kept' ? [] : await files.expand(workspaceId, inputs),
        agent: { ...agentView(state.agent), metadata: state.agent.metadata },
        session: sessionView(state, clock.now()),
        ...callbackOf(state, dispatch.runId, this.ports.callbackUrl),
      },
    };
  }

  /** Or that they, and the event that says what is to be told, are not recorded in time, or that one of them is not kept. */
  private async inputs(workspaceId: number, sessionId: string, { inputIds, afterEventId }: RunDispatch) {
    const { events, feed, inputWaitMs } = this.ports;
    const awaited = afterEventId === undefined ? inputIds : [...inputIds, afterEventId];
    const envelopeIds = new Set(awaited.map((id) => sessionEnvelopeId(workspaceId, sessionId, id)));
    if (envelopeIds.size > 0) {
      const { events: recorded, removed } = await feed.expect([...envelopeIds]).within(inputWaitMs);
      if (recorded.size + removed.size < envelopeIds.size) return 'not_yet';
      if (inputIds.some((id) => removed.has(sessionEnvelopeId(workspaceId, sessionId, id)))) return 'not_kept';
    }
    const found = inputIds.length === 0 ? [] : await events.byIds(workspaceId, sessionId, inputIds);
    return found.map(({ payload }) => payload);
  }
}

function callbackOf(
  state: SessionState,
  runId: string | null,
  urlOf: RunCallPorts['callbackUrl'],
): Pick<EngineCall, 'callback'> {
  if (runId === null || state.run?.id !== runId) return {};
  return { callback: { url: urlOf(state.id, runId), secret: state.run.callbackSecret } };
}
