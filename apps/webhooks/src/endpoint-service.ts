import { randomUUID } from 'node:crypto';
import { BEFORE_FIRST, SluiceError, type CursorPlace, type ReadModel, type StartPlace } from '@sluice/event-log';
import { newWebhookSecret } from '@sluice/signed-webhooks';
import {
  isSuccess,
  newEndpointId,
  PING_TYPE,
  webhookBody,
  type DeliveryEntry,
  type EndpointState,
  type WebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookFilter,
  type WebhookSecrets,
  type WebhookStore,
} from '@sluice/webhook-delivery';
import type { Clock } from './clock';
import { attemptEntry } from './delivery/attempt-entry';
import type { WebhookSender } from './delivery/webhook-sender';

export interface NewEndpoint {
  readonly url: string;
  readonly description: string;
  readonly filter: WebhookFilter;
  readonly isEnabled: boolean;
  /** Absent: events that are recorded from now on. */
  readonly start?: StartPlace | undefined;
}

export interface ChangedEndpoint {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly filter?: WebhookFilter | undefined;
  readonly isEnabled?: boolean | undefined;
}

export interface EndpointServicePorts {
  readonly store: WebhookStore;
  readonly readModel: Pick<ReadModel, 'head'>;
  readonly sender: WebhookSender;
  readonly clock: Clock;
  readonly endpointsPerWorkspace: number;
  readonly secretGraceMs: number;
  /** Something is to be delivered, or not any more. */
  readonly notice: () => void;
}

/** How long a test waits for its turn before the caller is told to come again. */
const PING_WAIT_MS = 30_000;

/** What owners do with their endpoints. What is of another workspace is `not_found`, like what does not exist (G8). */
export class EndpointService {
  constructor(private readonly ports: EndpointServicePorts) {}

  /** @throws SluiceError `conflict` at the limit of the workspace, `invalid_cursor` */
  async create(workspaceId: number, wanted: NewEndpoint): Promise<EndpointState> {
    const { store, clock, endpointsPerWorkspace, notice } = this.ports;
    const { url, description, filter, isEnabled } = wanted;
    const place = await this.placeOf(wanted.start ?? 'latest');
    const nowMs = clock.now();
    const endpoint: WebhookEndpoint = {
      endpointId: newEndpointId(nowMs),
      workspaceId,
      url,
      description,
      filter,
      ...(!isEnabled && { disabled: { reason: 'by_owner', at: nowMs } }),
      secrets: { current: newWebhookSecret() },
      createdAt: nowMs,
      updatedAt: nowMs,
      version: 1,
    };
    await store.create(endpoint, place, endpointsPerWorkspace);
    notice();
    return { endpoint, progress: { place } };
  }

  async find(workspaceId: number, endpointId: string): Promise<EndpointState> {
    return found(await this.ports.store.find(workspaceId, endpointId));
  }

  list(query: Parameters<WebhookStore['list']>[0]): Promise<readonly EndpointState[]> {
    return this.ports.store.list(query);
  }

  async change(workspaceId: number, endpointId: string, changed: ChangedEndpoint): Promise<EndpointState> {
    const { url, description, filter, isEnabled } = changed;
    const nowMs = this.ports.clock.now();
    return this.update(workspaceId, endpointId, {
      ...(url !== undefined && { url }),
      ...(description !== undefined && { description }),
      ...(filter !== undefined && { filter }),
      ...(isEnabled !== undefined && { disabled: isEnabled ? null : { reason: 'by_owner', at: nowMs } }),
      updatedAt: nowMs,
    });
  }

  async remove(workspaceId: number, endpointId: string): Promise<void> {
    if (!(await this.ports.store.remove(workspaceId, endpointId))) throw notFound();
    this.ports.notice();
  }

  /** The former secret signs as well until the grace is over; the one before that does not any more. */
  async rotateSecret(workspaceId: number, endpointId: string): Promise<EndpointState> {
    const { clock, secretGraceMs } = this.ports;
    const { endpoint } = await this.find(workspaceId, endpointId);
    const nowMs = clock.now();
    const previous = { secret: endpoint.secrets.current, until: nowMs + secretGraceMs };
    const secrets: WebhookSecrets = { current: newWebhookSecret(), previous };
    return this.update(workspaceId, endpointId, { secrets, updatedAt: nowMs });
  }

  /**
   * Sends a test at once, also to a disabled endpoint; it is tried once and changes nothing but the log.
   * @throws SluiceError `overloaded` where it does not get its turn
   */
  async ping(workspaceId: number, endpointId: string): Promise<DeliveryEntry> {
    const { store, sender, clock } = this.ports;
    const { endpoint } = await this.find(workspaceId, endpointId);
    const id = randomUUID();
    const at = clock.now();
    const json = JSON.stringify({ endpointId, workspaceId });
    const body = webhookBody({ eventId: id, type: PING_TYPE, occurredAt: at, json });
    const signal = AbortSignal.timeout(PING_WAIT_MS);
    const result = await sender.send({ endpoint, id, body, isRetry: false }, signal).catch((error: unknown) => {
      throw new SluiceError('overloaded', 'Too much is being sent; try again', { cause: error });
    });
    const outcome = isSuccess(result) ? 'delivered' : 'failed';
    const entry = attemptEntry('ping', { id, type: PING_TYPE }, result, { outcome }, { at, attempt: 1 });
    await store.log(workspaceId, endpointId, entry);
    return entry;
  }

  async deadLetters(query: Parameters<WebhookStore['deadLetters']>[0]) {
    return found(await this.ports.store.deadLetters(query));
  }

  /** How many wait to be sent again that did not before. */
  async replay(workspaceId: number, endpointId: string, deadLetterIds: readonly number[] | 'all'): Promise<number> {
    const query = { workspaceId, endpointId, deadLetterIds, replayAt: this.ports.clock.now() };
    const count = found(await this.ports.store.replay(query));
    this.ports.notice();
    return count;
  }

  private async update(workspaceId: number, endpointId: string, change: WebhookEndpointChange): Promise<EndpointState> {
    const state = found(await this.ports.store.update(workspaceId, endpointId, change));
    this.ports.notice();
    return state;
  }

  /** Of the read model, not of the feed, which may be behind it: what was acknowledged before is not told. */
  private async placeOf(start: StartPlace): Promise<CursorPlace> {
    const head = await this.ports.readModel.head();
    if (start === 'latest') return { epoch: head.epoch, position: head.position };
    if (start === 'earliest') return { epoch: head.epoch, position: BEFORE_FIRST };
    if (start.epoch === head.epoch && start.position <= head.position) return start;
    throw new SluiceError('invalid_cursor', 'body.cursor: is of another numbering, or ahead of the newest event', {
      where: 'body.cursor',
    });
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw notFound();
  return value;
}

function notFound(): SluiceError {
  return new SluiceError('not_found', 'No such endpoint', { where: 'path.endpointId' });
}
