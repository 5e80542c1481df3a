import { encodeCursor, type Cursor } from '@sluice/event-log';
import { toRegistryPayload, type Epoch, type RecordedEvent, type RegistryPayload } from '@sluice/event-schema';
import type { AgentRecord, FeedbackRecord, FeedbackResponse } from '@sluice/projections';

type Places = 'createdPosition' | 'lastPosition';
type Instants = 'registeredAt' | 'updatedAt' | 'reachabilityCheckedAt';

/** An agent as these doors show it: its instants are text, ISO 8601 in UTC. */
export type AgentView = Omit<AgentRecord, Places | Instants> & {
  readonly registeredAt: string;
  readonly updatedAt: string;
  readonly reachabilityCheckedAt?: string;
};

export type ResponseView = Omit<FeedbackResponse, 'createdAt'> & { readonly createdAt: string };

export type FeedbackView = Omit<FeedbackRecord, Places | 'createdAt' | 'responses'> & {
  readonly responses: readonly ResponseView[];
  readonly createdAt: string;
};

/** An event as the stream of registry events shows it, with its id and its cursor. */
export type AgentEventView = RegistryPayload & { readonly eventId: string; readonly cursor: Cursor };

const iso = (atMs: number): string => new Date(atMs).toISOString();

export function viewAgent(agent: AgentRecord): AgentView {
  const { createdPosition: _created, lastPosition: _last, registeredAt, updatedAt, ...rest } = agent;
  const { reachabilityCheckedAt: checkedAt, ...shown } = rest;
  return {
    ...shown,
    ...(checkedAt === undefined ? {} : { reachabilityCheckedAt: iso(checkedAt) }),
    registeredAt: iso(registeredAt),
    updatedAt: iso(updatedAt),
  };
}

export function viewFeedback(feedback: FeedbackRecord): FeedbackView {
  const { createdPosition: _created, createdAt, responses, ...shown } = feedback;
  return {
    ...shown,
    responses: responses.map((response) => ({ ...response, createdAt: iso(response.createdAt) })),
    createdAt: iso(createdAt),
  };
}

export function viewAgentEvent(event: RecordedEvent, epoch: Epoch): AgentEventView {
  return {
    eventId: event.id,
    cursor: encodeCursor({ epoch, position: event.position }),
    ...toRegistryPayload(event),
  };
}
