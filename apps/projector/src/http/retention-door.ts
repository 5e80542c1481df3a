import type { HttpGatekeeper } from '@sluice/engine';
import type { EventRetention, RetentionPolicy, RetentionStatus } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { RetentionSignals } from '../retention/retention-signals';
import { openOperatorRoute } from './operator-route';
import {
  listRetention,
  noRetentionQuerySchema,
  removeRetention,
  retentionPolicySchema,
  retentionScopeSchema,
  setRetention,
} from './retention-operations';

export interface RetentionDoorPorts {
  readonly retention: Pick<EventRetention, 'policies' | 'setPolicy' | 'removePolicy'>;
  readonly signals: Pick<RetentionSignals, 'retentionAsked'>;
}

/** `/v1/admin/retention`, for operators: for how long events are kept. */
export class RetentionDoor {
  constructor(
    private readonly ports: RetentionDoorPorts,
    private readonly gatekeeper: HttpGatekeeper,
  ) {}

  open(fastify: FastifyInstance): void {
    const { retention, signals } = this.ports;
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: setRetention,
      status: 200,
      answer: async (request, actor) => {
        validate(noRetentionQuerySchema, request.query, 'query');
        const {
          workspaceId = 'default',
          family,
          maxAgeSeconds,
        } = validate(retentionPolicySchema, request.body, 'body');
        const age = maxAgeSeconds === null ? {} : { maxAgeMs: maxAgeSeconds * 1_000 };
        const policy: RetentionPolicy = { workspaceId, family, ...age };
        const status = await retention.setPolicy(policy);
        signals.retentionAsked('set', policy, actor);
        return { policy: viewOf(status) };
      },
    });
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: listRetention,
      status: 200,
      answer: async (request) => {
        validate(noRetentionQuerySchema, request.query, 'query');
        return { policies: (await retention.policies()).map(viewOf) };
      },
    });
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: removeRetention,
      status: 200,
      answer: async (request, actor) => {
        const { workspaceId = 'default', family } = validate(retentionScopeSchema, request.query, 'query');
        const removed = await retention.removePolicy({ workspaceId, family });
        signals.retentionAsked('remove', { workspaceId, family }, actor);
        return { removed };
      },
    });
  }
}

function viewOf({ workspaceId, family, maxAgeMs, changedAt, removedEvents }: RetentionStatus): object {
  return {
    ...(workspaceId !== 'default' && { workspaceId }),
    family,
    maxAgeSeconds: maxAgeMs === undefined ? null : maxAgeMs / 1_000,
    changedAt,
    removedEvents,
  };
}
