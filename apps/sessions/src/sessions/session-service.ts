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
  type SessionResource,
  type SessionState,
  type SessionStore,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { newEventId } from '@sluice/event-schema';
import { toTools } from '../agents/agent-parts';
import type { Clock } from '../clock';
import type { Repetition } from '../http/sdk-door';
import type { CommandReceipt, CommandResult, SessionJournal } from '../journal/session-journal';
import { newId } from '../new-ids';
import type { RepositoryTokens } from '../vaults/repository-tokens';
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
  constructor(
    private readonly journal: SessionJournal,
    private readonly store: Pick<SessionStore, 'load'>,
    private readonly parts: SessionParts,
    private readonly sent: SentEvents,
    private readonly clock: Clock,
    private readonly tokens: RepositoryTokens,
  ) {}

  async create(workspaceId: number, body: CreateSessionBody, repetition: Repetition): Promise<View> {
    const { parts } = this;
    const nowMs = this.clock.now();
    const sessionId = newId('sesn');
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
    const initialEvents = await this.sent.prepare(workspaceId, sessionId, body.initial_events ?? [], 'initial_events');
    const call = {
      workspaceId,
      sessionId,
      receipt: receiptOf(repetition),
      decide: (context: DecisionContext) =>
        createSession(
          {
            workspaceId,
            id: sessionId,
            threadId: newId('sthr'),
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
    };
    const { state } = await this.withTokens(workspaceId, sessionId, tokens, () => this.journal.create(call));
    // A call that came before made the session: this one's tokens belong to none.
    if (state?.id !== sessionId) await this.tokens.forgetAll(workspaceId, sessionId);
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
    const { state } = await this.execute(scope, (before, context) => decideUpdate(before, changes, context));
    return this.view(state);
  }

  async archive(scope: SessionScope): Promise<View> {
    const { state } = await this.execute(scope, decideArchive);
    return this.view(state);
  }

  async delete(scope: SessionScope): Promise<View> {
    await this.execute(scope, decideDelete);
    await this.tokens.forgetAll(scope.workspaceId, scope.sessionId);
    return { id: scope.sessionId, type: 'session_deleted' };
  }

  /** What was stored of what was sent, in its order. */
  async send(scope: SessionScope, events: readonly unknown[]): Promise<readonly SessionEventBody[]> {
    const { workspaceId, sessionId } = scope;
    await this.load(workspaceId, sessionId);
    const prepared = await this.sent.prepare(workspaceId, sessionId, events, 'events');
    const result = await this.journal.execute({
      workspaceId,
      sessionId,
      receipt: receiptOf(scope.repetition),
      referenced: referencedEventIds(prepared),
      decide: (state, context) => decideSend(state, prepared, context),
    });
    return result.events.filter(({ type }) => SENT_TYPES.test(type));
  }

  async addResource(scope: SessionScope, params: ResourceParams): Promise<SessionResource> {
    const resource = await this.parts.resource(scope.workspaceId, params, this.clock.now(), 'body');
    await this.withTokens(scope.workspaceId, scope.sessionId, tokenOf(params, resource.id), () =>
      this.execute(scope, (state, context) => decideAddResource(state, resource, context)),
    );
    return resource;
  }

  /** @throws SluiceError `not_found`, `invalid_request` for what has no token and where no secrets are kept, `conflict` */
  async changeToken(scope: SessionScope, resourceId: string, token: string): Promise<SessionResource> {
    const { workspaceId, sessionId } = scope;
    const resource = await this.resource(workspaceId, sessionId, resourceId);
    if (resource.type !== 'github_repository')
      throw new SluiceError('invalid_request', 'Only repositories have a token');
    const changed = { ...resource, updated_at: new Date(this.clock.now()).toISOString() };
    this.tokens.requireKey();
    await this.execute(scope, (state, context) => decideUpdateResource(state, changed, context));
    await this.tokens.keep(workspaceId, sessionId, resourceId, token);
    return changed;
  }

  /** @throws SluiceError `not_found` */
  async resource(workspaceId: number, sessionId: string, resourceId: string): Promise<SessionResource> {
    const { resources } = await this.load(workspaceId, sessionId);
    const found = resources.find(({ id }) => id === resourceId);
    if (!found) throw new SluiceError('not_found', 'The session has no such resource');
    return found;
  }

  async removeResource(scope: SessionScope, resourceId: string): Promise<View> {
    await this.execute(scope, (state, context) => decideRemoveResource(state, resourceId, context));
    await this.tokens.forget(scope.workspaceId, resourceId);
    return { id: resourceId, type: 'session_resource_deleted' };
  }

  view(state: SessionState | undefined): View {
    // Deleted meanwhile by somebody else.
    if (state === undefined) throw noSuchSession();
    return sessionView(state, this.clock.now());
  }

  /** Tokens are kept before what they belong to is: an engine that is told of that finds them. */
  private async withTokens<T>(
    workspaceId: number,
    sessionId: string,
    tokens: readonly KeptToken[],
    run: () => Promise<T>,
  ): Promise<T> {
    for (const { resourceId, token } of tokens) await this.tokens.keep(workspaceId, sessionId, resourceId, token);
    try {
      return await run();
    } catch (error) {
      // After another failure it may be done all the same, and the tokens are needed.
      const isRefused = error instanceof SluiceError && error.status < 500;
      if (isRefused) for (const { resourceId } of tokens) await this.tokens.forget(workspaceId, resourceId);
      throw error;
    }
  }

  private execute(
    { workspaceId, sessionId, repetition }: SessionScope,
    decide: Parameters<SessionJournal['execute']>[0]['decide'],
  ): Promise<CommandResult> {
    return this.journal.execute({ workspaceId, sessionId, receipt: keyedReceiptOf(repetition), decide });
  }
}

interface KeptToken {
  readonly resourceId: string;
  readonly token: string;
}

function tokenOf(params: ResourceParams, resourceId: string): readonly KeptToken[] {
  if (params.type !== 'github_repository' || params.authorization_token === undefined) return [];
  return [{ resourceId, token: params.authorization_token }];
}

const SENT_TYPES = /^(user|system)\./;

export function noSuchSession(): SluiceError {
  return new SluiceError('not_found', 'There is no such session');
}

/** Of a call that must not happen twice. */
function receiptOf(repetition: Repetition): CommandReceipt {
  const { requestHash, isRetry } = repetition;
  return keyedReceiptOf(repetition) ?? { key: `request/${newEventId()}`, requestHash, untilAnswered: true, isRetry };
}

/** Of a call that may happen twice, unless its caller says by a key that it may not. */
function keyedReceiptOf({ key, requestHash, isRetry }: Repetition): CommandReceipt | undefined {
  return key === undefined ? undefined : { key: `key/${key}`, requestHash, untilAnswered: false, isRetry };
}
