import { toEpoch, toPosition, type CursorPlace } from '@sluice/event-log';
import type { DeliveryEntry, NewDeadLetter } from '../delivery-log';
import { newEndpointId, type SubjectEvent, type WebhookEndpoint } from '../webhook-endpoint';
import type { HeldPlace, WebhookGrant, WebhookLease, WebhookStore } from '../webhook-store';

export type OpenStore = () => Promise<WebhookStore>;

export const LEASE_MS = 600_000;
export const MOST = 100;
export const EPOCH = toEpoch('0000abcd');
export const LOST = expect.objectContaining({ code: 'conflict' });

let created = 0;

export function placeOf(position: number, epoch = EPOCH): CursorPlace {
  return { epoch, position: toPosition(position) };
}

/** An endpoint whose progress nothing changed yet. */
export function heldAt(grant: WebhookGrant, position: number, progressVersion = 1): HeldPlace {
  return { grant, place: placeOf(position), progressVersion };
}

export function subjectOf(position: number, change: Partial<SubjectEvent> = {}): SubjectEvent {
  const entityId = 'sesn_1';
  return { id: `event ${position}`, type: 'agent.message', workspaceId: 1, family: 'session', entityId, ...change };
}

export function endpointOf(workspaceId: number, change: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  return {
    endpointId: newEndpointId(++created),
    workspaceId,
    url: 'https://hooks.example.com/a?b=c',
    description: 'äöü \u0000 "\'\\ 🐚\n',
    filter: { families: ['session'], types: ['agent.*'] },
    secrets: { current: 'whsec_b25l' },
    createdAt: 1_000,
    updatedAt: 1_000,
    version: 1,
    ...change,
  };
}

export function entryOf(position: number, change: Partial<DeliveryEntry> = {}): DeliveryEntry {
  return {
    kind: 'event',
    outcome: 'delivered',
    at: position * 1_000,
    eventId: `event ${position}`,
    eventType: 'agent.message',
    position,
    attempt: 1,
    status: 200,
    answer: 'fine \u0000 \ud83d\n',
    ...change,
  };
}

export function letterOf(position: number): NewDeadLetter {
  return { eventId: `event ${position}`, eventType: 'agent.message', position, attempts: 3, error: 'timeout' };
}

/** An endpoint and the grant to deliver to it. */
export async function leaseOf(store: WebhookStore, endpoint: WebhookEndpoint, at = 5): Promise<WebhookLease> {
  await store.create(endpoint, placeOf(at), MOST);
  return claimed(store, endpoint.endpointId);
}

export async function claimed(store: WebhookStore, endpointId: string, holder = 'one'): Promise<WebhookLease> {
  const leases = await store.claim({ holder, leaseMs: LEASE_MS, limit: 100 });
  const lease = leases.find(({ grant }) => grant.endpointId === endpointId);
  if (lease === undefined) throw new Error('no grant');
  return lease;
}
