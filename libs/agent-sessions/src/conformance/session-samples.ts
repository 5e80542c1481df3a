import { encodeEnvelope, eventIdFromIdempotencyKey, type EncodedEnvelope } from '@sluice/event-schema';
import type { ActiveRun, RunDispatch, SessionState } from '../session-state';
import type { Receipt, SessionCommit, SessionCommitOutcome, SessionStore } from '../session-store';

export type OpenSessionStore = () => Promise<SessionStore>;

/** Longer than any test. */
export const LEASE_MS = 600_000;

export const WORKSPACE = 7;

/** Text that a database may not like. */
export const ODD_TEXT = 'U+0000: \u0000, alone: \ud83d, lines:\n\r\n\u2028, "quoted" \\u0000 and 🦀';

export const SESSION = 'sesn_1';

export function runOf(overrides: Partial<ActiveRun> = {}): ActiveRun {
  return {
    id: 'srun_1',
    engine: 'built-in',
    callbackSecret: 'whsec_c2VjcmV0',
    startedAtMs: 1_000,
    deadlineMs: 61_000,
    ...overrides,
  };
}

/** A session with something in each of its members. */
export function sessionOf(overrides: Partial<SessionState> = {}): SessionState {
  return {
    workspaceId: WORKSPACE,
    id: SESSION,
    title: ODD_TEXT,
    metadata: { note: ODD_TEXT },
    agent: {
      id: 'agent_1',
      type: 'agent',
      version: 3,
      name: ODD_TEXT,
      description: null,
      model: { id: 'a-model', speed: 'fast' },
      system: ODD_TEXT,
      tools: [{ type: 'custom', name: 'look', input_schema: { type: 'object' } }],
      mcp_servers: [],
      skills: [],
      multiagent: null,
      execution_identity: { type: 'service_account' },
      metadata: { engine: 'eng_1' },
    },
    environmentId: 'env_1',
    environmentType: 'cloud',
    vaultIds: ['vlt_1'],
    resources: [{ id: 'sesrsc_1', type: 'file', file_id: 'file_1' }],
    budget: null,
    usage: { input_tokens: 5 },
    threadId: 'sthr_1',
    createdAtMs: 1_000,
    updatedAtMs: 2_000,
    archivedAtMs: null,
    status: 'running',
    activeMs: 10,
    statusSinceMs: 1_500,
    run: runOf(),
    endedRuns: [{ id: 'srun_0', callbackSecret: 'whsec_ZW5kZWQ=' }],
    pending: [{ eventId: 'sevt_tool', answeredBy: ['user.tool_confirmation'] }],
    queue: [{ eventId: 'sevt_late', type: 'user.message' }],
    toolUses: [{ eventId: 'sevt_tool', runId: 'srun_1', answeredBy: ['user.tool_confirmation'] }],
    heldAnswers: [{ toolUseId: 'sevt_other', inputIds: ['sevt_answer'] }],
    outcomes: [],
    ...overrides,
  };
}

/** An event on its way to the log; `n` says which. */
export function eventOf(n: number, sessionId = SESSION): EncodedEnvelope {
  const place = { workspaceId: WORKSPACE, family: 'session', entityId: sessionId } as const;
  return encodeEnvelope({
    ...place,
    id: eventIdFromIdempotencyKey(place, `sample/${n}`),
    type: 'agent.message',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: { id: `sevt_${n}`, type: 'agent.message', content: [{ type: 'text', text: `${n} ${ODD_TEXT}` }] },
  });
}

export function receiptOf(key = 'callback/srun_1/msg_1', overrides: Partial<Receipt> = {}): Receipt {
  return { key, requestHash: 'of the body', answer: JSON.stringify({ accepted: 1, text: ODD_TEXT }), ...overrides };
}

export function startOf(n = 1): RunDispatch {
  return { type: 'run.start', engine: 'built-in', runId: `srun_${n}`, inputIds: [`sevt_${n}`] };
}

/** A commit on the session of the state; it makes one unless it says otherwise. */
export function commitOf(overrides: Partial<SessionCommit> = {}): SessionCommit {
  const state = 'state' in overrides ? overrides.state : sessionOf();
  return {
    workspaceId: state?.workspaceId ?? WORKSPACE,
    sessionId: state?.id ?? SESSION,
    expectedVersion: 0,
    state,
    events: [],
    eventIds: [],
    dispatches: [],
    ...overrides,
  };
}

/** Commits, and gives the new version. */
export async function committed(store: SessionStore, overrides: Partial<SessionCommit> = {}): Promise<number> {
  const outcome: SessionCommitOutcome = await store.commit(commitOf(overrides));
  if (outcome.kind !== 'committed') throw new Error(`not committed but ${outcome.kind}`);
  return outcome.version;
}

/** That a commit of one event and its dispatch left nothing. */
export async function expectNothingOf(store: SessionStore): Promise<void> {
  expect(await store.outbox(SESSION, 10)).toEqual([]);
  expect(await store.knownEvents(SESSION, ['sevt_1'])).toEqual(new Map());
  expect(await store.claimDispatches({ holder: 'one', leaseMs: 1, limit: 10 })).toEqual([]);
}
