import { toEpoch, toPosition, type CursorPlace } from '@sluice/event-log';
import type {
  DeadLetter,
  DeliveryEntry,
  DisabledReason,
  EndpointProgress,
  EndpointState,
  NewDeadLetter,
  StoredDelivery,
  WebhookEndpoint,
} from '@sluice/webhook-delivery';

export interface EndpointRow {
  readonly endpoint_id: string;
  readonly workspace_id: number;
  readonly version: bigint;
  readonly endpoint: string;
  readonly disabled_reason: string | null;
  readonly disabled_at: bigint | null;
  readonly epoch: string;
  readonly position: bigint;
  readonly revision: bigint;
  readonly blocked: string | null;
  readonly progress_version: bigint;
}

export interface RenewedRow {
  readonly endpoint_id: string;
  readonly version: bigint;
  readonly is_enabled: boolean;
  readonly has_replays: boolean;
}

export interface DeadLetterRow {
  readonly dead_letter_id: bigint;
  readonly dead_at: bigint;
  readonly replay_at: bigint | null;
  readonly letter: string;
}

/** What is in the text of an endpoint; the rest has columns. */
type EndpointText = Omit<WebhookEndpoint, 'endpointId' | 'workspaceId' | 'version' | 'disabled'>;

/** What is in the text of a blocked head; the place has columns. */
type BlockedText = Omit<EndpointProgress, 'place'>;

export function fromEndpointRow(row: EndpointRow): EndpointState {
  const text = JSON.parse(row.endpoint) as EndpointText;
  const blocked = row.blocked === null ? {} : (JSON.parse(row.blocked) as BlockedText);
  return {
    endpoint: {
      ...text,
      endpointId: row.endpoint_id,
      workspaceId: row.workspace_id,
      version: Number(row.version),
      ...(row.disabled_reason !== null && {
        disabled: { reason: row.disabled_reason as DisabledReason, at: Number(row.disabled_at) },
      }),
    },
    progress: { place: placeOf(row), ...blocked },
    progressVersion: Number(row.progress_version),
  };
}

function placeOf({ epoch, position, revision }: EndpointRow): CursorPlace {
  const known = Number(revision);
  return { epoch: toEpoch(epoch), position: toPosition(Number(position)), ...(known > 0 && { revision: known }) };
}

export function endpointText(endpoint: WebhookEndpoint): string {
  const { endpointId: _id, workspaceId: _workspace, version: _version, disabled: _disabled, ...text } = endpoint;
  return JSON.stringify(text satisfies EndpointText);
}

/** Null where nothing failed. */
export function blockedText({ place: _, ...blocked }: EndpointProgress): string | null {
  const isBlocked = Object.values(blocked).some((value) => value !== undefined);
  return isBlocked ? JSON.stringify(blocked satisfies BlockedText) : null;
}

export function fromDeliveryRow(row: { readonly delivery_id: bigint; readonly entry: string }): StoredDelivery {
  return { ...(JSON.parse(row.entry) as DeliveryEntry), deliveryId: Number(row.delivery_id) };
}

export function fromDeadLetterRow(row: DeadLetterRow): DeadLetter {
  return {
    ...(JSON.parse(row.letter) as NewDeadLetter),
    deadLetterId: Number(row.dead_letter_id),
    deadAt: Number(row.dead_at),
    ...(row.replay_at !== null && { replayAt: Number(row.replay_at) }),
  };
}
