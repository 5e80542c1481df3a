import {
  MemorySessionStore,
  type ClaimedDispatch,
  type Decision,
  type RunDispatch,
  type SessionState,
} from '@sluice/agent-sessions';
import { sessionOf } from '@sluice/agent-sessions/conformance';
import {
  Dispatcher,
  type DispatcherOptions,
  type DispatcherPorts,
  type DispatchOutcome,
} from '../../src/engines/dispatcher';
import type { Engine, EngineTask } from '../../src/engines/engine';
import { newId } from '../../src/new-ids';

export const WORKSPACE = 7;
const RUN = 'srun_1';

/** Has everything told as it is; late or not. */
export function tellCalls(isLate = false): DispatcherPorts['calls'] {
  return {
    of: ({ sessionId, dispatch }: ClaimedDispatch) =>
      Promise.resolve({
        kind: 'tell',
        isLate,
        call: {
          type: dispatch.type,
          session_id: sessionId,
          run_id: dispatch.runId,
          input_events: [],
          agent: {},
          session: {},
        },
      }),
  };
}

/** Dispatchers on one store, whose clock the test sets, and what they told. */
export class DispatcherWorld {
  /** Leases are by it. */
  nowMs = 1_000_000;
  readonly store = new MemorySessionStore(() => this.nowMs);
  outcomes: DispatchOutcome[] = [];
  readonly decided: Decision[] = [];
  readonly dispatchers: Dispatcher[] = [];
  /** What was told to `held`, and how that is let go on. */
  readonly told: { readonly task: EngineTask; readonly end: (error?: unknown) => void }[] = [];

  /** Works until the test ends it, or until it is to let go. */
  readonly held: Engine = {
    handle: (task) =>
      new Promise((resolve, reject) => {
        task.signal.addEventListener('abort', () => reject(task.signal.reason as Error));
        this.told.push({ task, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  };

  dispatcher(
    engine: Engine | ((name: string) => Engine) = this.held,
    options: Partial<DispatcherOptions> = {},
    calls = tellCalls(),
  ): Dispatcher {
    const made = new Dispatcher(
      {
        store: this.store,
        calls,
        reports: { take: () => Promise.resolve([]) },
        journal: {
          execute: async ({ workspaceId, sessionId, decide }) => {
            const stored = await this.store.load(workspaceId, sessionId);
            const context = {
              nowMs: this.nowMs,
              newId,
              newSecret: () => 'whsec_',
              knownEvents: new Map<string, string>(),
              runTimeoutMs: 1,
            };
            if (stored) this.decided.push(decide(stored.state, context));
            return { state: stored?.state, events: [], isKept: true, isRepeated: false, subject: undefined };
          },
        },
        engineOf: (name) => (typeof engine === 'function' ? engine(name) : engine),
        signals: { dispatched: (outcome) => this.outcomes.push(outcome), fault: () => undefined },
      },
      {
        holder: newId('eng'),
        leaseMs: 60,
        watchIntervalMs: 10,
        pollIntervalMs: 5,
        concurrency: 10,
        maxRuns: 10,
        ...options,
      },
    );
    this.dispatchers.push(made);
    void made.start();
    return made;
  }

  /** Commits these dispatches of a session, whose active run is the one that they are of. */
  async commit(
    sessionId: string,
    types: readonly RunDispatch['type'][],
    changes: Partial<SessionState> = {},
    engine = 'eng_1',
  ): Promise<void> {
    const stored = await this.store.load(WORKSPACE, sessionId);
    await this.store.commit({
      workspaceId: WORKSPACE,
      sessionId,
      expectedVersion: stored?.version ?? 0,
      state: sessionOf({ id: sessionId, workspaceId: WORKSPACE, ...changes }),
      events: [],
      eventIds: [],
      dispatches: types.map((type) => ({ type, engine, runId: RUN, inputIds: [] }) as RunDispatch),
    });
  }

  async stop(): Promise<void> {
    for (const { end } of this.told) end();
    await Promise.all(this.dispatchers.map((dispatcher) => dispatcher.stop()));
  }
}

export async function until(holds: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs;) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('Waited in vain');
}
