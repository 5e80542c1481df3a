import { randomUUID } from 'node:crypto';
import {
  BEFORE_FIRST,
  compileFilter,
  SluiceError,
  toPosition,
  toSluiceError,
  type CursorPlace,
  type ReadModel,
  type StartPlace,
} from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import {
  isSuccess,
  newEndpointId,
  PING_TYPE,
  toEventFilter,
  webhookBody,
  type DecideChange,
  type DeliveryEntry,
  type EndpointState,
  type WebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookFilter,
  type WebhookStore,
} from '@sluice/webhook-delivery';
import type { Clock } from './clock';
import { attemptEntry } from './delivery/attempt-entry';
import type { PingGate } from './delivery/ping-gate';
import type { WebhookSender } from './delivery/webhook-sender';
import { rotated, type EndpointSecrets } from './endpoint-secrets';

export interface NewEndpoint {
  readonly url: string;
  readonly description: string;
  readonly filter: WebhookFilter;
  readonly isEnabled: boolean;
  /** Absent: events that are recorded from now on. */
  readonly start?: StartPlace | undefined;
  readonly createdByKeyId: string;
}

export interface ChangedEndpoint {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly filter?: WebhookFilter | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly start?: StartPlace | undefined;
}

/** An endpoint and its new secret, which is told only now. */
export interface WithSecret {
  readonly state: EndpointState;
  readonly secret: string;
}

export interface EndpointServicePorts {
  readonly store: WebhookStore;
  readonly readModel: Pick<ReadModel, 'head' | 'read' | 'findByIds'>;
  readonly sender: WebhookSender;
  readonly secrets: EndpointSecrets;
  readonly pings: PingGate;
  readonly clock: Clock;
  readonly endpointsPerWorkspace: number;
  readonly secretGraceMs: number;
  /** What a request may take. */
  readonly timeoutMs: number;
  /** Throws for what nothing can ever be sent to. */
  readonly assertUrl: (url: string) => void;
  /** Something is to be delivered, or not any more. */
  readonly notice: (endpointId: string) => void;
}

/** How long a test waits for its turn before the caller is told to come again. */
const PING_WAIT_MS = 30_000;

/** What a request may take beyond its timeout before it is broken off. */
const PING_SPARE_MS = 2_000;

/** Most events of one endpoint that wait to be sent again because somebody asked for them by id. */
const MOST_WAITING = 1_000;

/** What owners do with their endpoints. What is of another workspace is `not_found`, like what does not exist (G8). */
export class EndpointService {
  constructor(private readonly ports: EndpointServicePorts) {}

  /** @throws SluiceError `conflict` at the limit of the workspace, `invalid_cursor`, `invalid_request` for the URL */
  async create(workspaceId: number, wanted: NewEndpoint): Promise<WithSecret> {
    const { store, clock, secrets, endpointsPerWorkspace, notice } = this.ports;
    const { url, description, filter, isEnabled, createdByKeyId } = wanted;
    this.assertUrl(url);
    const place = await this.placeOf(workspaceId, wanted.start ?? 'latest');
    const nowMs = clock.now();
    const endpointId = newEndpointId(nowMs);
    const { secret, sealed } = secrets.create({ workspaceId, endpointId });
    const endpoint: WebhookEndpoint = {
      endpointId,
      workspaceId,
      url,
      description,
      filter,
      ...(!isEnabled && { disabled: { reason: 'by_owner', at: nowMs } }),
      secrets: { current: sealed },
      createdByKeyId,
      createdAt: nowMs,
      updatedAt: nowMs,
      version: 1,
    };
    await store.create(endpoint, place, endpointsPerWorkspace);
    notice(endpointId);
    return { state: { endpoint, progress: { place }, progressVersion: 1 }, secret };
  }

  async find(workspaceId: number, endpointId: string): Promise<EndpointState> {
    return found(await this.ports.store.find(workspaceId, endpointId));
  }

  list(query: Parameters<WebhookStore['list']>[0]): Promise<readonly EndpointState[]> {
    return this.ports.store.list(query);
  }

  /** @throws SluiceError `conflict` where it would be enabled without a secret, `invalid_cursor`, `invalid_request` for the URL */
  async change(workspaceId: number, endpointId: string, changed: ChangedEndpoint): Promise<EndpointState> {
    const { url, description, filter, isEnabled, start } = changed;
    if (url !== undefined) this.assertUrl(url);
    const place = start && (await this.placeOf(workspaceId, start));
    const nowMs = this.ports.clock.now();
    return this.update(workspaceId, endpointId, ({ endpoint }) => {
      if (isEnabled === true && endpoint.secrets.current === '')
        throw new SluiceError('conflict', 'The endpoint has no secret: rotate its secret first');
      return {
        ...(url !== undefined && { url }),
        ...(description !== undefined && { description }),
        ...(filter !== undefined && { filter }),
        ...(place !== undefined && { place }),
        ...(isEnabled !== undefined && { disabled: isEnabled ? null : { reason: 'by_owner', at: nowMs } }),
        updatedAt: nowMs,
      };
    });
  }

  async remove(workspaceId: number, endpointId: string): Promise<void> {
    if (!(await this.ports.store.remove(workspaceId, endpointId))) throw notFound();
    this.ports.notice(endpointId);
  }

  /** The former secret signs as well until the grace is over; the one before that does not any more. */
  async rotateSecret(workspaceId: number, endpointId: string): Promise<WithSecret> {
    const { clock, secrets, secretGraceMs } = this.ports;
    await this.find(workspaceId, endpointId);
    const { secret, sealed } = secrets.create({ workspaceId, endpointId });
    const nowMs = clock.now();
    const state = await this.update(workspaceId, endpointId, ({ endpoint }) => ({
      secrets: rotated(endpoint.secrets, sealed, nowMs + secretGraceMs),
      updatedAt: nowMs,
    }));
    return { state, secret };
  }

  /**
   * Sends a test at once, also to a disabled endpoint; it is tried once. Where it is delivered, what waits is due.
   * @throws SluiceError `conflict` while another one is going on, `rate_limited`, `overloaded` where it does not get its turn
   */
  async ping(workspaceId: number, endpointId: string): Promise<DeliveryEntry> {
    const { clock, pings } = this.ports;
    const state = await this.find(workspaceId, endpointId);
    return pings.pass(endpointId, clock.now(), () => this.sendPing(state));
  }

  private async sendPing({ endpoint }: EndpointState): Promise<DeliveryEntry> {
    const { store, sender, clock, timeoutMs } = this.ports;
    const { endpointId, workspaceId } = endpoint;
    const id = randomUUID();
    const at = clock.now();
    const json = JSON.stringify({ endpointId, workspaceId });
    const body = webhookBody({ eventId: id, type: PING_TYPE, occurredAt: at, json });
    const signal = AbortSignal.timeout(PING_WAIT_MS + timeoutMs + PING_SPARE_MS);
    const result = await sender.send({ endpoint, id, body, isRetry: false }, signal).catch((error: unknown) => {
      if (error instanceof SluiceError && error.code !== 'overloaded') throw error;
      throw new SluiceError('overloaded', 'Too much is being sent; try again', { cause: error });
    });
    const outcome = isSuccess(result) ? 'delivered' : 'failed';
    const entry = attemptEntry('ping', { id, type: PING_TYPE }, result, { outcome }, { at, attempt: 1 });
    await store.log(workspaceId, endpointId, entry);
    if (outcome === 'delivered') await this.noteReached(workspaceId, endpointId);
    return entry;
  }

  private async noteReached(workspaceId: number, endpointId: string): Promise<void> {
    const { progress } = await this.find(workspaceId, endpointId);
    if (progress.head === undefined && progress.failingSince === undefined) return;
    await this.update(workspaceId, endpointId, { reachedAt: this.ports.clock.now() });
  }

  /** Tries again now. @throws SluiceError `conflict` where nothing waits */
  retry(workspaceId: number, endpointId: string): Promise<EndpointState> {
    const dueAt = this.ports.clock.now();
    return this.update(workspaceId, endpointId, ({ progress }) => {
      if (progress.head === undefined) throw new SluiceError('conflict', 'Nothing waits to be tried again');
      return { dueAt };
    });
  }

  /** Gives up what waits, as a dead letter, and goes on. @throws SluiceError `conflict` where nothing waits */
  async skip(workspaceId: number, endpointId: string): Promise<EndpointState> {
    const state = found(await this.ports.store.skip(workspaceId, endpointId, this.ports.clock.now()));
    this.ports.notice(endpointId);
    return state;
  }

  /**
   * Sends events once more, whatever came of them. What the endpoint is not told of is not found (G8).
   * @throws SluiceError `conflict` where too many wait already
   */
  async redeliver(
    workspaceId: number,
    endpointId: string,
    eventIds: readonly string[],
  ): Promise<{ readonly waiting: number; readonly notFound: readonly string[] }> {
    const { store, readModel, clock, notice } = this.ports;
    const { endpoint } = await this.find(workspaceId, endpointId);
    const wants = compileFilter(toEventFilter(workspaceId, endpoint.filter));
    const ids = [...new Set(eventIds)];
    const events = await readModel.findByIds(ids);
    const wanted = ids.flatMap((id) => events.get(id) ?? []).filter((event) => wants(event));
    const letters = wanted.map(({ id, type, position }) => ({ eventId: id, eventType: type, position, attempts: 0 }));
    const query = { workspaceId, endpointId, letters, replayAt: clock.now(), mostWaiting: MOST_WAITING };
    const waiting = found(await store.redeliver(query));
    notice(endpointId);
    const told = new Set(wanted.map(({ id }) => id));
    return { waiting, notFound: ids.filter((id) => !told.has(id)) };
  }

  /** How many dead letters waited to be sent again. */
  async cancelReplays(workspaceId: number, endpointId: string): Promise<number> {
    return found(await this.ports.store.cancelReplays(workspaceId, endpointId));
  }

  async deadLetters(query: Parameters<WebhookStore['deadLetters']>[0]) {
    return found(await this.ports.store.deadLetters(query));
  }

  /** How many wait to be sent again that did not before. */
  async replay(workspaceId: number, endpointId: string, deadLetterIds: readonly number[] | 'all'): Promise<number> {
    const query = { workspaceId, endpointId, deadLetterIds, replayAt: this.ports.clock.now() };
    const count = found(await this.ports.store.replay(query));
    this.ports.notice(endpointId);
    return count;
  }

  private async update(
    workspaceId: number,
    endpointId: string,
    change: WebhookEndpointChange | DecideChange,
  ): Promise<EndpointState> {
    const state = found(await this.ports.store.update(workspaceId, endpointId, change));
    this.ports.notice(endpointId);
    return state;
  }

  private assertUrl(url: string): void {
    try {
      this.ports.assertUrl(url);
    } catch (error) {
      const reason = error instanceof Error ? error.message : toSluiceError(error).message;
      throw new SluiceError('invalid_request', `body.url: ${reason}`, { where: 'body.url', cause: error });
    }
  }

  /** Of the read model, not of the feed, which may be behind it: what was acknowledged before is not told. */
  private async placeOf(workspaceId: number, start: StartPlace): Promise<CursorPlace> {
    const head = await this.ports.readModel.head();
    if (start === 'latest') return { epoch: head.epoch, position: head.position };
    if (start === 'earliest') return { epoch: head.epoch, position: BEFORE_FIRST, ...(await this.gone(workspaceId)) };
    if (start.epoch === head.epoch && start.position <= head.position) return start;
    throw new SluiceError('invalid_cursor', 'body.cursor: is of another numbering, or ahead of the newest event', {
      where: 'body.cursor',
    });
  }

  /** The removals of before: who begins at what is kept is told of later ones alone. */
  private async gone(workspaceId: number): Promise<Pick<CursorPlace, 'revision'>> {
    const filter = { workspaceIds: [workspaceId, PUBLIC_WORKSPACE_ID] };
    const { revision } = await this.ports.readModel.read({
      filter,
      after: toPosition(Number.MAX_SAFE_INTEGER),
      limit: 1,
    });
    return revision === 0 ? {} : { revision };
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw notFound();
  return value;
}

function notFound(): SluiceError {
  return new SluiceError('not_found', 'No such endpoint', { where: 'path.endpointId' });
}
