import { authorise, limitKeyOf } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID, registryErrorBody, toRegistryError } from '@sluice/event-schema';
import { agentCursorOf, type AgentDirectory, type ListAgents } from '@sluice/projections';
import { readBearer, toHttpError, validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { QueryConfig } from '../../config';
import type { EventPages } from '../../event-pages';
import type { QuerySignals } from '../../signals';
import { callerOf } from '../admission';
import { JSON_TYPE } from '../json-answer';
import { viewAgent, viewAgentEvent, viewFeedback } from './agent-views';
import {
  agentEventsQuerySchema,
  agentPathSchema,
  agentsQuerySchema,
  feedbackQuerySchema,
  noQuerySchema,
  withoutBrackets,
  type AgentsQuery,
} from './agents-query';
import { encodeAgentPlace, encodeFeedbackPlace } from './list-cursor';
import { LIST_GATE_LIMITS, ListGate } from './list-gate';
import { fillPage, itemBody, pageBody } from './registry-answer';

export const AGENTS_PATH = '/api/v1/agents';

export interface AgentsDoorPorts {
  readonly directory: AgentDirectory;
  readonly pages: EventPages;
  readonly gatekeeper: HttpGatekeeper;
  readonly config: QueryConfig;
  readonly signals: QuerySignals;
}

/** `/api/v1/agents`: the agents of all registries, in the dialect of the public registry API, for every key. */
export class AgentsDoor {
  private readonly gate: ListGate;

  constructor(private readonly ports: AgentsDoorPorts) {
    const { signals } = ports;
    this.gate = new ListGate({ ...LIST_GATE_LIMITS, onRefused: (reason) => signals.listRefused(reason) });
    signals.countLists(() => ({ running: this.gate.runningLists, waiting: this.gate.waitingLists }));
  }

  register(fastify: FastifyInstance): void {
    // An address that cannot be decoded comes to no route.
    fastify.errorForms.add(AGENTS_PATH, (thrown, request, reply) => void this.refuse(thrown, request, reply));
    void fastify.register(
      (scope, _options, done) => {
        scope.addHook('onRequest', async (request) => this.admit(request));
        scope.setErrorHandler((error, request, reply) => this.refuse(error, request, reply));
        scope.setNotFoundHandler(() => {
          throw notFound();
        });
        scope.get('', (request, reply) => this.list(request, reply));
        scope.get('/:agentId', (request, reply) => this.find(request, reply));
        scope.get('/:agentId/feedback', (request, reply) => this.feedback(request, reply));
        scope.get('/:agentId/events', (request, reply) => this.events(request, reply));
        done();
      },
      { prefix: AGENTS_PATH },
    );
  }

  private async list(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = validate(agentsQuerySchema, withoutBrackets(request.query), 'query');
    const { limit, sort } = query;
    const order = query.order ?? (sort === 'name' ? 'asc' : 'desc');
    // One more than is wanted tells whether there is a next page.
    const asked = { ...toListAgents(query, order), limit: limit + 1 };
    const found = await this.inTurn(request, () => this.ports.directory.list(asked));
    const { items, texts, hasMore } = fillPage(found, limit, this.ports.config.maxPageBytes, viewAgent);
    const last = items.at(-1);
    const nextCursor = hasMore && last && encodeAgentPlace({ sort, order, ...agentCursorOf(last, sort) });
    this.ports.signals.listed('agents', items.length);
    return answer(reply, pageBody(texts, { limit, hasMore, ...(nextCursor && { nextCursor }) }));
  }

  private async find(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    // With a slash and nothing behind it there is no such path.
    if ((request.params as { agentId?: string }).agentId === '') throw notFound();
    const { agentId } = validate(agentPathSchema, request.params, 'path');
    validate(noQuerySchema, request.query, 'query');
    const agent = await this.ports.directory.find(agentId);
    if (!agent) throw noSuchAgent();
    this.ports.signals.listed('agents', 1);
    return answer(reply, itemBody(viewAgent(agent)));
  }

  private async feedback(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const { agentId } = validate(agentPathSchema, request.params, 'path');
    const { limit, cursor, includeRevoked = false } = validate(feedbackQuerySchema, request.query, 'query');
    const { directory, config, signals } = this.ports;
    if (!(await directory.find(agentId))) throw noSuchAgent();
    const after = cursor === undefined ? {} : { after: cursor };
    const asked = { agentId, includeRevoked, ...after, limit: limit + 1 };
    const found = await this.inTurn(request, () => directory.feedback(asked));
    const { items, texts, hasMore } = fillPage(found, limit, config.maxPageBytes, viewFeedback);
    const last = items.at(-1);
    const nextCursor = hasMore && last && encodeFeedbackPlace(last.createdPosition);
    signals.listed('feedback', items.length);
    return answer(reply, pageBody(texts, { limit, hasMore, ...(nextCursor && { nextCursor }) }));
  }

  /** Also of an agent that is gone: its events say why. */
  private async events(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const { agentId } = validate(agentPathSchema, request.params, 'path');
    const { limit, types, ...query } = validate(agentEventsQuerySchema, request.query, 'query');
    const { events, head, next, reset } = await this.ports.pages.read({
      filter: {
        workspaceIds: [PUBLIC_WORKSPACE_ID],
        families: ['registry'],
        entityIds: [agentId],
        ...(types !== undefined && { types }),
      },
      start: query.cursor,
      order: query.order,
      limit,
      occurredAfter: query.since,
      occurredBefore: query.until,
    });
    this.ports.signals.read('agent', events.length);
    const texts = events.map(({ event }) => JSON.stringify(viewAgentEvent(event, head.epoch)));
    const hasMore = next !== undefined;
    return answer(
      reply,
      pageBody(texts, { limit, hasMore, ...(hasMore && { nextCursor: next }), ...(reset && { reset }) }),
    );
  }

  /** Reads a list when the turn of its caller has come. */
  private async inTurn<T>(request: FastifyRequest, list: () => Promise<T>): Promise<T> {
    return this.gate.run(limitKeyOf(callerOf(request)), async () => {
      try {
        return await list();
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'overloaded') this.ports.signals.listRefused('slow');
        throw error;
      }
    });
  }

  private async admit(request: FastifyRequest): Promise<void> {
    request.principal = await this.ports.gatekeeper.admit(request);
    authorise(request.principal, 'read', { workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry' });
  }

  private refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const error = toHttpError(thrown);
    if (error.status === 500) this.ports.signals.fault(thrown);
    const { apiKey, bearer } = readBearer(request.headers);
    const refusal = toRegistryError(error, apiKey !== undefined || bearer !== undefined);
    if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds));
    reply.removeHeader('allow');
    return reply.code(refusal.status).header('content-type', JSON_TYPE).send(registryErrorBody(refusal, request.id));
  }
}

function toListAgents(query: AgentsQuery, order: 'asc' | 'desc'): Omit<ListAgents, 'limit'> {
  const { chainId, chainIds = [], sort, cursor, order: _order, limit: _limit, ...conditions } = query;
  const chains = chainId === undefined ? chainIds : [chainId, ...chainIds];
  if (cursor !== undefined && (cursor.sort !== sort || cursor.order !== order)) {
    const where = 'query.cursor';
    throw new SluiceError('invalid_cursor', `${where}: is of a list in another order`, { where });
  }
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(given) as DefinedOf<typeof conditions>),
    ...(chains.length > 0 && { chainIds: chains }),
    sort,
    order: order === 'asc' ? 'ascending' : 'descending',
    ...(cursor && { after: { key: cursor.key, position: cursor.position } }),
  };
}

type DefinedOf<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function notFound(): SluiceError {
  return new SluiceError('not_found', 'Not found');
}

function noSuchAgent(): SluiceError {
  return new SluiceError('not_found', 'Agent not found', { where: 'path.agentId' });
}

function answer(reply: FastifyReply, body: string): string {
  reply.header('content-type', JSON_TYPE);
  return body;
}
