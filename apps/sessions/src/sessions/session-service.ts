import {
  createSession,
  decideAddResource,
  decideArchive,
  decideDelete,
  decideRemoveResource,
  decideSend,
  decideUpdate,
  decideUpdateResource,
  referencedEventIds,
  sessionView,
  type DecisionContext,
  type SessionEventBody,
  type SessionEventInput,
  type SessionResource,
  type SessionState,
  type SessionStore,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { checkToolParts, toTools } from '../agents/agent-parts';
import type { Clock } from '../clock';
import type { Repetition } from '../http/sdk-door';
import type { CommandResult, SessionCommand } from '../journal/session-command';
import type { SessionJournal } from '../journal/session-journal';
import { withinSessionSize } from '../documents/size-limits';
import { newId } from '../new-ids';
import type { RepositoryTokens } from '../vaults/repository-tokens';
import { BelongingsKeeper, hasBelongings, tokenOf, type KeptToken } from './belongings';
import { creationReceiptOf, keyedReceiptOf, receiptOf } from './call-receipts';
import type { SentEvents } from './sent-events';
import type { CreateSessionBody, ResourceParams, UpdateSessionBody } from './session-params';
import type { SessionParts } from './session-parts';

/** Whose session it is, and by what the command is known when it comes again. */
export interface SessionScope {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly repetition: Repetition;
}

export type View = Readonly<Record<string, unknown>>;

/** What callers do with sessions. */
export class SessionService {
  private readonly keeper: BelongingsKeeper;

  constructor(
    private readonly journal: SessionJournal,
    private readonly store: Pick<SessionStore, 'load'>,
    private readonly parts: SessionParts,
    private readonly sent: SentEvents,
    private readonly clock: Clock,
    private readonly tokens: RepositoryTokens,
  ) {
    this.keeper = new BelongingsKeeper(sent, tokens);
  }

  async create(workspaceId: number, body: CreateSessionBody, repetition: Repetition): Promise<View> {
    const { parts } = this;
    const nowMs = this.clock.now();
    const sessionId = newId('sesn');
    const call = { workspaceId, sessionId, receipt: creationReceiptOf(workspaceId, repetition) };
    const before = await this.journal.repetitionOf(call);
    if (before) return this.view(before.state);
    const [agent, environmentType] = await Promise.all([
      parts.agent(workspaceId, body.agent),
      parts.environment(workspaceId, body.environment_id),
      parts.requireVaults(workspaceId, body.vault_ids ?? []),
    ]);
    const resources: SessionResource[] = [];
    const tokens: KeptToken[] = [];
    for (const [index, params] of (body.resources ?? []).entries()) {
      const resource = await parts.resource(workspaceId, params, nowMs, `resources[${index}]`);
      resources.push(resource);
      tokens.push(...tokenOf(params, resource.id));
    }
    const events = await this.sent.read(workspaceId, body.initial_events ?? [], 'initial_events');
    const threadId = newId('sthr');
    const commandOf = (initialEvents: readonly SessionEventInput[]) => ({
      ...call,
      decide: (context: DecisionContext) =>
        withinSessionSize(
          createSession(
            {
              workspaceId,
              id: sessionId,
              threadId,
              agent,
              environmentId: body.environment_id,
              environmentType,
              resources,
              initialEvents,
              ...(body.title !== undefined && { title: body.title }),
              ...(body.metadata !== undefined && { metadata: body.metadata }),
              ...(body.vault_ids !== undefined && { vaultIds: body.vault_ids }),
              ...(body.budget !== undefined && { budget: body.budget }),
            },
            context,
          ),
        ),
    });
    const belongings = { tokens, events };
    if (!hasBelongings(belongings)) return this.view((await this.journal.create(commandOf(events))).state);
    this.journal.rehearseNew(commandOf(events));
    const kept = await this.keeper.keep(workspaceId, sessionId, belongings);
    const { onDropped } = kept;
    const { state } = await this.journal.create({ ...commandOf(kept.events), onDropped });
    return this.view(state);
  }

  /** @throws SluiceError `not_found` */
  async load(workspaceId: number, sessionId: string): Promise<SessionState> {
    const stored = await this.store.load(workspaceId, sessionId);
    if (!stored) throw noSuchSession();
    return stored.state;
  }

  /** The session of a thread: there is the primary one only. @throws SluiceError `not_found` */
  async requireThread(workspaceId: number, sessionId: string, threadId: string): Promise<SessionState> {
    const state = await this.load(workspaceId, sessionId);
    if (state.threadId !== threadId) throw new SluiceError('not_found', 'The session has no such thread');
    return state;
  }

  async get(workspaceId: number, sessionId: string): Promise<View> {
    return this.view(await this.load(workspaceId, sessionId));
  }

  async update(scope: SessionScope, body: UpdateSessionBody): Promise<View> {
    if (body.vault_ids !== undefined) {
      const where = 'vault_ids';
      throw new SluiceError('invalid_request', `${where}: the vaults of a session do not change`, { where });
    }
    const { agent } = body;
    const changes = {
      ...(body.title !== undefined && { title: body.title }),
      ...(body.metadata !== undefined && { metadata: body.metadata }),
      ...(body.budget !== undefined && { budget: body.budget }),
      ...(agent !== undefined && {
        agent: {
          ...(agent.tools !== undefined && { tools: agent.tools && toTools(agent.tools) }),
          ...(agent.mcp_servers !== undefined && { mcp_servers: agent.mcp_servers }),
        },
      }),
    };
    const { state } = await this.execute(scope, (before, context) => {
      const decision = decideUpdate(before, changes, context);
      if (agent !== undefined && decision.kind === 'accepted' && decision.state) checkToolParts(decision.state.agent);
      return withinSessionSize(decision);
    });
    return this.view(state);
  }

  async archive(scope: SessionScope): Promise<View> {
    const { state } = await this.execute(scope, decideArchive);
    return this.view(state);
  }

  async delete(scope: SessionScope): Promise<View> {
    const { workspaceId, sessionId } = scope;
    await this.tokens.doubt(workspaceId, sessionId);
    await this.executeOnce(scope, decideDelete);
    await this.tokens.forgetAll(workspaceId, sessionId);
    return { id: sessionId, type: 'session_deleted' };
  }

  /**
   * What was stored of what was sent, in its order.
   * @throws SluiceError `idempotency_conflict` also where it was sent before, and is not kept any more
   */
  async send(scope: SessionScope, events: readonly unknown[]): Promise<readonly SessionEventBody[]> {
    const { workspaceId, sessionId } = scope;
    await this.load(workspaceId, sessionId);
    const call = { workspaceId, sessionId, receipt: receiptOf(scope.repetition) };
    const before = await this.journal.repetitionOf(call);
    if (before) return sentOf(before);
    const read = await this.sent.read(workspaceId, events, 'events');
    const commandOf = (inputs: readonly SessionEventInput[]) => ({
      ...call,
      referenced: referencedEventIds(inputs),
      decide: (state: SessionState, context: DecisionContext) => decideSend(state, inputs, context),
    });
    const belongings = { tokens: [], events: read };
    if (!hasBelongings(belongings)) return sentOf(await this.journal.execute(commandOf(read)));
    await this.journal.rehearse(commandOf(read));
    const kept = await this.keeper.keep(workspaceId, sessionId, belongings);
    const { onDropped } = kept;
    return sentOf(await this.journal.execute({ ...commandOf(kept.events), onDropped }));
  }

  async addResource(scope: SessionScope, params: ResourceParams): Promise<SessionResource> {
    const { workspaceId, sessionId } = scope;
    await this.load(workspaceId, sessionId);
    const call = { workspaceId, sessionId, receipt: receiptOf(scope.repetition) };
    const before = await this.journal.repetitionOf(call);
    if (before) return requireResource(before.state, before.subject);
    const resource = await this.parts.resource(workspaceId, params, this.clock.now(), 'body');
    const command = {
      ...call,
      subject: resource.id,
      decide: (state: SessionState, context: DecisionContext) =>
        withinSessionSize(decideAddResource(state, resource, context)),
    };
    const belongings = { tokens: tokenOf(params, resource.id), events: [] };
    if (hasBelongings(belongings)) await this.journal.rehearse(command);
    const { onDropped } = await this.keeper.keep(workspaceId, sessionId, belongings);
    const { state, subject } = await this.journal.execute({ ...command, onDropped });
    return requireResource(state, subject);
  }

  /** @throws SluiceError `not_found`, `invalid_request` for what has no token and where no secrets are kept, `conflict` */
  async changeToken(scope: SessionScope, resourceId: string, token: string): Promise<SessionResource> {
    const { workspaceId, sessionId } = scope;
    const resource = await this.resource(workspaceId, sessionId, resourceId);
    if (resource.type !== 'github_repository')
      throw new SluiceError('invalid_request', 'Only repositories have a token');
    const changed = { ...resource, updated_at: new Date(this.clock.now()).toISOString() };
    this.tokens.requireKey();
    const { state } = await this.execute(scope, (before, context) => decideUpdateResource(before, changed, context));
    await this.tokens.keep(workspaceId, sessionId, resourceId, token);
    return requireResource(state, resourceId);
  }

  /** @throws SluiceError `not_found` */
  async resource(workspaceId: number, sessionId: string, resourceId: string): Promise<SessionResource> {
    return requireResource(await this.load(workspaceId, sessionId), resourceId);
  }

  async removeResource(scope: SessionScope, resourceId: string): Promise<View> {
    const { workspaceId, sessionId } = scope;
    await this.tokens.doubt(workspaceId, sessionId, resourceId);
    await this.executeOnce(scope, (state, context) => decideRemoveResource(state, resourceId, context));
    await this.tokens.forget(workspaceId, resourceId);
    return { id: resourceId, type: 'session_resource_deleted' };
  }

  view(state: SessionState | undefined): View {
    // Deleted meanwhile by somebody else.
    if (state === undefined) throw noSuchSession();
    return sessionView(state, this.clock.now());
  }

  private execute(
    { workspaceId, sessionId, repetition }: SessionScope,
    decide: SessionCommand['decide'],
    receipt = keyedReceiptOf(repetition),
  ): Promise<CommandResult> {
    return this.journal.execute({ workspaceId, sessionId, receipt, decide });
  }

  /** What must not happen twice, or is refused the second time. */
  private executeOnce(scope: SessionScope, decide: SessionCommand['decide']): Promise<CommandResult> {
    return this.execute(scope, decide, receiptOf(scope.repetition));
  }
}

const SENT_TYPES = /^(user|system)\./;

/** @throws SluiceError `idempotency_conflict` where it was sent before, and is not kept any more */
function sentOf({ events, isKept }: CommandResult): readonly SessionEventBody[] {
  if (isKept) return events.filter(({ type }) => SENT_TYPES.test(type));
  const where = 'headers.idempotency-key';
  throw new SluiceError('idempotency_conflict', `${where}: what was sent with this key is not kept any more`, {
    where,
  });
}

/** @throws SluiceError `not_found` */
function requireResource(state: SessionState | undefined, resourceId: string | undefined): SessionResource {
  const found = state?.resources.find(({ id }) => id === resourceId);
  if (!found) throw new SluiceError('not_found', 'The session has no such resource');
  return found;
}

export function noSuchSession(): SluiceError {
  return new SluiceError('not_found', 'There is no such session');
}
