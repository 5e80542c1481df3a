import {
  checkSessionInvariants,
  checkSessionState,
  createSession,
  referencedEventIds,
  type AgentSnapshot,
  type CreateSession,
  type Decision,
  type DecisionContext,
  type RunDispatch,
  type SessionEventBody,
  type SessionEventInput,
  type SessionState,
} from '../src';
import { decideReport } from '../src/machine/report';
import { decideSend } from '../src/machine/send';

export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const RUN_TIMEOUT_MS = 60_000;

export const AGENT: AgentSnapshot = {
  id: 'agent_1',
  type: 'agent',
  version: 1,
  name: 'Tester',
  description: null,
  model: { id: 'model-1' },
  system: null,
  tools: [],
  mcp_servers: [],
  skills: [],
  multiagent: null,
  execution_identity: { type: 'service_account' },
  metadata: { engine: 'eng_1' },
};

/** One session as its store and its list keep it: what is accepted is applied, what is refused changes nothing. */
export class SessionWorld {
  /** Undefined once it is deleted. */
  state: SessionState | undefined;
  /** As they are listed. */
  readonly events: SessionEventBody[] = [];
  readonly dispatches: RunDispatch[] = [];
  nowMs = START_MS;
  private readonly types = new Map<string, string>();
  private made = 0;

  constructor(input: Partial<CreateSession> = {}) {
    const created = createSession(
      {
        workspaceId: 1,
        id: 'sesn_1',
        threadId: 'sthr_1',
        agent: AGENT,
        environmentId: 'env_1',
        environmentType: 'cloud',
        ...input,
      },
      this.context([]),
    );
    this.apply(created);
  }

  /** The state of a session that is there. */
  get session(): SessionState {
    if (this.state === undefined) throw new Error('The session is deleted');
    return this.state;
  }

  get runId(): string {
    if (this.session.run === null) throw new Error('There is no run');
    return this.session.run.id;
  }

  context(referenced: readonly string[]): DecisionContext {
    const known = referenced.flatMap((id) => {
      const type = this.types.get(id);
      return type === undefined ? [] : [[id, type] as const];
    });
    return {
      nowMs: this.nowMs,
      newId: (prefix) => `${prefix}_${++this.made}`,
      newSecret: () => `whsec_${++this.made}`,
      knownEvents: new Map(known),
      runTimeoutMs: RUN_TIMEOUT_MS,
    };
  }

  /** Decides, and applies what is accepted. Gives the decision. */
  run(decide: (state: SessionState, ctx: DecisionContext) => Decision, referenced: readonly string[] = []): Decision {
    const decision = decide(this.session, this.context(referenced));
    this.apply(decision);
    return decision;
  }

  send(...events: readonly SessionEventInput[]): Decision {
    return this.run((state, ctx) => decideSend(state, events, ctx), referencedEventIds(events));
  }

  report(...events: readonly SessionEventInput[]): Decision {
    return this.reportOf(this.runId, events);
  }

  reportOf(runId: string, events: readonly SessionEventInput[]): Decision {
    return this.run((state, ctx) => decideReport(state, { runId, events }, ctx), referencedEventIds(events));
  }

  /** The types of all events, in their order. */
  get typesOfEvents(): readonly string[] {
    return this.events.map((event) => event.type);
  }

  /** Everything that should hold and does not. */
  faults(): readonly string[] {
    return [...checkSessionInvariants(this.events), ...(this.state === undefined ? [] : checkSessionState(this.state))];
  }

  private apply(decision: Decision): void {
    if (decision.kind === 'refused') return;
    for (const { body, processedInputs = [] } of decision.events) {
      if (this.types.has(body.id)) throw new Error(`${body.id} is there twice`);
      this.types.set(body.id, body.type);
      for (const [index, event] of this.events.entries()) {
        if (processedInputs.includes(event.id)) this.events[index] = { ...event, processed_at: body.processed_at };
      }
      this.events.push(body);
    }
    this.dispatches.push(...decision.dispatches);
    // As a store gives it back.
    if (decision.state !== this.state) {
      this.state = decision.state && (JSON.parse(JSON.stringify(decision.state)) as SessionState);
    }
  }
}

export const message = (text = 'hello'): SessionEventInput => ({
  type: 'user.message',
  content: [{ type: 'text', text }],
});
export const outcome = (): SessionEventInput => ({
  type: 'user.define_outcome',
  description: 'a page',
  rubric: { type: 'text', content: 'it is short' },
});
export const systemMessage = (): SessionEventInput => ({
  type: 'system.message',
  content: [{ type: 'text', text: 'be brief' }],
});
export const interrupt = (): SessionEventInput => ({ type: 'user.interrupt' });
export const confirmation = (id: string, result: 'allow' | 'deny' = 'allow'): SessionEventInput => ({
  type: 'user.tool_confirmation',
  tool_use_id: id,
  result,
});
export const customResult = (id: string): SessionEventInput => ({
  type: 'user.custom_tool_result',
  custom_tool_use_id: id,
});
export const toolResult = (id: string): SessionEventInput => ({ type: 'user.tool_result', tool_use_id: id });

export const says = (): SessionEventInput => ({ type: 'agent.message', content: [{ type: 'text', text: 'done' }] });
export const uses = (
  id: string,
  type: 'agent.tool_use' | 'agent.mcp_tool_use' | 'agent.custom_tool_use' = 'agent.custom_tool_use',
  fields: object = {},
): SessionEventInput => ({ id, type, name: 'tool', input: {}, ...fields });
export const idle = (type: string): SessionEventInput => ({ type: 'session.status_idle', stop_reason: { type } });
export const waitsFor = (...ids: readonly string[]): SessionEventInput => ({
  type: 'session.status_idle',
  stop_reason: { type: 'requires_action', event_ids: ids },
});
export const status = (name: 'running' | 'rescheduled' | 'terminated'): SessionEventInput => ({
  type: `session.status_${name}`,
});
export const fails = (retry: 'retrying' | 'exhausted' | 'terminal'): SessionEventInput => ({
  type: 'session.error',
  error: { type: 'model_overloaded_error', message: 'busy', retry_status: { type: retry } },
});

/** A session whose run works, and has reported these events. */
export function working(...events: readonly SessionEventInput[]): SessionWorld {
  const world = new SessionWorld();
  world.send(message());
  if (events.length > 0) world.report(...events);
  return world;
}

/** A session whose run waits for the results of these custom tools. */
export function waitingWorld(...ids: readonly string[]): SessionWorld {
  return working(...ids.map((id) => uses(id)), waitsFor(...ids));
}
