import { SluiceError, type CursorPlace } from '@sluice/event-log';
import {
  changedEndpoint,
  skippedHead,
  WEBHOOK_RETENTION,
  type DeadLetter,
  type DecideChange,
  type DeliveriesQuery,
  type DeliveryEntry,
  type EndpointState,
  type HeldPlace,
  type PastQuery,
  type RecordedDelivery,
  type RenewedGrant,
  type StoredDelivery,
  type WebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookGrant,
  type WebhookLease,
  type WebhookRetention,
  type WebhookStore,
} from '@sluice/webhook-delivery';
import type { Database } from './database';
import { canBeStored } from './session-rows';
import { Prisma } from './generated/client';
import { orUnavailable } from './unavailable';
import { cancelReplays, letReplay, redeliver } from './webhook-replay';
import {
  forgetDeadLetters,
  isPresent,
  logDelivery,
  page,
  readDeadLetters,
  readDeliveries,
  type Nullable,
} from './webhook-past';
import { pruneWebhooks } from './webhook-pruning';
import {
  countUnattended,
  ENDPOINT_COLUMNS,
  HAS_REPLAYS,
  isHeldBy,
  isUnchanged,
  lostWebhookGrant,
  recordDelivery,
  updateHeld,
} from './webhook-leases';
import {
  blockedText,
  endpointText,
  fromDeadLetterRow,
  fromEndpointRow,
  type DeadLetterRow,
  type EndpointRow,
  type RenewedRow,
} from './webhook-rows';

/** Attempts of a change that meets others. */
const MAX_CHANGE_ATTEMPTS = 20;

/** WebhookStore in PostgreSQL. The database's clock decides about leases, so replicas need not agree on the time. */
export class PrismaWebhookStore implements WebhookStore {
  constructor(
    private readonly database: Database,
    private readonly retention: WebhookRetention = WEBHOOK_RETENTION,
  ) {}

  async create(endpoint: WebhookEndpoint, place: CursorPlace, mostPerWorkspace: number): Promise<void> {
    const { endpointId, workspaceId, version, disabled } = endpoint;
    const { $executeRaw: run } = this.database;
    const [, created] = await orUnavailable(() =>
      this.database.$transaction([
        // Two who make the last one at the same time are one after the other.
        run.call(this.database, Prisma.sql`SELECT pg_advisory_xact_lock(${CREATION_LOCK}::int, ${workspaceId}::int)`),
        run.call(
          this.database,
          Prisma.sql`
          INSERT INTO webhooks.endpoints
            (endpoint_id, workspace_id, version, endpoint, disabled_reason, disabled_at, expires_at, epoch, position, revision)
          SELECT ${endpointId}, ${workspaceId}::int, ${BigInt(version)}, ${endpointText(endpoint)},
            ${disabled?.reason ?? null}::text, ${disabled === undefined ? null : BigInt(disabled.at)}::bigint,
            statement_timestamp(), ${place.epoch}, ${BigInt(place.position)}, ${BigInt(place.revision ?? 0)}
          WHERE (SELECT count(*) FROM webhooks.endpoints WHERE workspace_id = ${workspaceId}::int) < ${mostPerWorkspace}
          ON CONFLICT (endpoint_id) DO NOTHING`,
        ),
      ]),
    );
    if (created === 1) return;
    throw new SluiceError('conflict', `The workspace has ${mostPerWorkspace} endpoints already: delete one first`);
  }

  async find(workspaceId: number, endpointId: string): Promise<EndpointState | undefined> {
    if (!canBeStored(endpointId)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<EndpointRow[]>`
      SELECT ${ENDPOINT_COLUMNS} FROM webhooks.endpoints e
      WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int`,
    );
    return row && fromEndpointRow(row);
  }

  async list({ workspaceId, after = '', limit }: Parameters<WebhookStore['list']>[0]) {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<EndpointRow[]>`
      SELECT ${ENDPOINT_COLUMNS} FROM webhooks.endpoints e
      WHERE e.workspace_id = ${workspaceId}::int AND e.endpoint_id > ${after}
      ORDER BY e.endpoint_id LIMIT ${page(limit)}`,
    );
    return rows.map(fromEndpointRow);
  }

  async update(
    workspaceId: number,
    endpointId: string,
    change: WebhookEndpointChange | DecideChange,
  ): Promise<EndpointState | undefined> {
    return this.change(workspaceId, endpointId, (before) =>
      this.replace(before, changedEndpoint(before, typeof change === 'function' ? change(before) : change)),
    );
  }

  async skip(workspaceId: number, endpointId: string, at: number): Promise<EndpointState | undefined> {
    return this.change(workspaceId, endpointId, async (before) => {
      const skipped = skippedHead(before, at);
      if (skipped === undefined) throw new SluiceError('conflict', 'Nothing waits to be tried again');
      const { deliveriesPerEndpoint } = this.retention;
      const isKept = await orUnavailable(() =>
        recordDelivery(this.database, isUnchanged(before), { ...skipped, isByOwner: true }, deliveriesPerEndpoint),
      );
      return isKept && this.find(workspaceId, endpointId);
    });
  }

  /** Tries again where somebody else changed it meanwhile. */
  private async change(
    workspaceId: number,
    endpointId: string,
    attemptChange: (before: EndpointState) => Promise<EndpointState | undefined | false>,
  ): Promise<EndpointState | undefined> {
    for (let attempt = 0; attempt < MAX_CHANGE_ATTEMPTS; attempt++) {
      const before = await this.find(workspaceId, endpointId);
      const after = before && (await attemptChange(before));
      if (after !== false) return after;
    }
    throw new SluiceError('overloaded', 'The endpoint is being changed by too many at once');
  }

  /** False where somebody else changed it meanwhile. What its holder knows is left alone unless the change is about it. */
  private async replace(before: EndpointState, after: EndpointState): Promise<EndpointState | false> {
    const { endpoint, progress, progressVersion } = after;
    const { disabled } = endpoint;
    const isAboutProgress = progressVersion !== before.progressVersion;
    const isElsewhere = progress.place !== before.progress.place;
    const changed = await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE webhooks.endpoints e SET
        version = ${BigInt(endpoint.version)}, endpoint = ${endpointText(endpoint)},
        disabled_reason = ${disabled?.reason ?? null}::text,
        disabled_at = ${disabled === undefined ? null : BigInt(disabled.at)}::bigint,
        blocked = CASE WHEN ${isAboutProgress} THEN ${blockedText(progress)}::text ELSE e.blocked END,
        progress_version = CASE WHEN ${isAboutProgress} THEN ${BigInt(progressVersion)} ELSE e.progress_version END,
        epoch = CASE WHEN ${isElsewhere} THEN ${progress.place.epoch} ELSE e.epoch END,
        position = CASE WHEN ${isElsewhere} THEN ${BigInt(progress.place.position)} ELSE e.position END,
        revision = CASE WHEN ${isElsewhere} THEN ${BigInt(progress.place.revision ?? 0)} ELSE e.revision END
      WHERE e.endpoint_id = ${endpoint.endpointId} AND e.version = ${BigInt(before.endpoint.version)}
        AND (NOT ${isAboutProgress} OR e.progress_version = ${BigInt(before.progressVersion)})
        AND e.disabled_reason IS NOT DISTINCT FROM ${before.endpoint.disabled?.reason ?? null}::text`,
    );
    return changed === 1 && after;
  }

  async remove(workspaceId: number, endpointId: string): Promise<boolean> {
    if (!canBeStored(endpointId)) return false;
    const removed = await orUnavailable(
      () => this.database.$executeRaw`
      DELETE FROM webhooks.endpoints WHERE endpoint_id = ${endpointId} AND workspace_id = ${workspaceId}::int`,
    );
    return removed === 1;
  }

  async claim(query: Parameters<WebhookStore['claim']>[0]): Promise<readonly WebhookLease[]> {
    const { holder, leaseMs, limit } = query;
    const rows = await orUnavailable(
      () => this.database.$queryRaw<(EndpointRow & { fencing_token: bigint; has_replays: boolean })[]>`
      WITH free AS (
        SELECT endpoint_id FROM webhooks.endpoints
        WHERE disabled_reason IS NULL AND expires_at <= statement_timestamp()
        ORDER BY expires_at LIMIT ${page(limit)} FOR UPDATE SKIP LOCKED
      )
      UPDATE webhooks.endpoints e SET
        holder = ${holder}, fencing_token = e.fencing_token + 1,
        expires_at = statement_timestamp() + ${leaseMs} * interval '1 millisecond'
      FROM free WHERE e.endpoint_id = free.endpoint_id
      RETURNING ${ENDPOINT_COLUMNS}, e.fencing_token, ${HAS_REPLAYS}`,
    );
    return rows.map((row) => ({
      ...fromEndpointRow(row),
      grant: { endpointId: row.endpoint_id, holder, fencingToken: Number(row.fencing_token) },
      hasReplays: row.has_replays,
    }));
  }

  async renew({ held, leaseMs }: Parameters<WebhookStore['renew']>[0]): Promise<readonly RenewedGrant[]> {
    if (held.length === 0) return [];
    const changes = Prisma.sql`expires_at = statement_timestamp() + ${leaseMs} * interval '1 millisecond'`;
    const rows = await orUnavailable(
      () => this.database.$queryRaw<RenewedRow[]>`
      ${updateHeld(held, changes)}
      RETURNING e.endpoint_id, e.version, e.disabled_reason IS NULL AS is_enabled, ${HAS_REPLAYS}`,
    );
    return rows.map((row) => ({
      endpointId: row.endpoint_id,
      version: Number(row.version),
      isEnabled: row.is_enabled,
      hasReplays: row.has_replays,
    }));
  }

  async release(held: readonly HeldPlace[]): Promise<void> {
    if (held.length === 0) return;
    const changes = Prisma.sql`holder = NULL, expires_at = statement_timestamp()`;
    await orUnavailable(() => this.database.$executeRaw(updateHeld(held, changes)));
  }

  async load(grant: WebhookGrant): Promise<EndpointState> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<EndpointRow[]>`
      SELECT ${ENDPOINT_COLUMNS} FROM webhooks.endpoints e WHERE ${isHeldBy(grant)}`,
    );
    if (row === undefined) throw lostWebhookGrant(grant);
    return fromEndpointRow(row);
  }

  async record(grant: WebhookGrant, delivery: RecordedDelivery): Promise<boolean> {
    const { deliveriesPerEndpoint } = this.retention;
    const isKept = await orUnavailable(() =>
      recordDelivery(this.database, isHeldBy(grant), delivery, deliveriesPerEndpoint),
    );
    if (!isKept) await this.load(grant);
    if (isKept && delivery.deadLetter !== undefined) await this.keepNewest(grant.endpointId);
    return isKept;
  }

  private keepNewest(endpointId: string): Promise<void> {
    return forgetDeadLetters(this.database, endpointId, this.retention.deadLettersPerEndpoint);
  }

  async replays(grant: WebhookGrant, limit: number): Promise<readonly DeadLetter[]> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<Nullable<DeadLetterRow>[]>`
      SELECT l.* FROM webhooks.endpoints e LEFT JOIN LATERAL (
        SELECT dead_letter_id, dead_at, replay_at, letter FROM webhooks.dead_letters
        WHERE endpoint_id = e.endpoint_id AND replay_at IS NOT NULL
        ORDER BY replay_at, dead_letter_id LIMIT ${page(limit)}
      ) l ON true
      WHERE ${isHeldBy(grant)} ORDER BY l.replay_at, l.dead_letter_id`,
    );
    if (rows.length === 0) throw lostWebhookGrant(grant);
    return rows.filter(isPresent).map(fromDeadLetterRow);
  }

  log(workspaceId: number, endpointId: string, entry: DeliveryEntry): Promise<boolean> {
    return logDelivery(this.database, workspaceId, endpointId, entry, this.retention.deliveriesPerEndpoint);
  }

  deliveries(query: DeliveriesQuery): Promise<readonly StoredDelivery[] | undefined> {
    return readDeliveries(this.database, query);
  }

  deadLetters(query: PastQuery): Promise<readonly DeadLetter[] | undefined> {
    return readDeadLetters(this.database, query);
  }

  async replay(query: Parameters<WebhookStore['replay']>[0]): Promise<number | undefined> {
    return canBeStored(query.endpointId) ? letReplay(this.database, query) : undefined;
  }

  async redeliver(query: Parameters<WebhookStore['redeliver']>[0]): Promise<number | undefined> {
    if (!canBeStored(query.endpointId)) return undefined;
    const waiting = await redeliver(this.database, query);
    if (waiting !== undefined) await this.keepNewest(query.endpointId);
    return waiting;
  }

  async cancelReplays(workspaceId: number, endpointId: string): Promise<number | undefined> {
    return canBeStored(endpointId) ? cancelReplays(this.database, workspaceId, endpointId) : undefined;
  }

  countUnattended(forMs: number): Promise<number> {
    return countUnattended(this.database, forMs);
  }

  prune(query: Parameters<WebhookStore['prune']>[0]): ReturnType<WebhookStore['prune']> {
    return pruneWebhooks(this.database, query);
  }
}

/** Locks of this kind are about making endpoints; the second key is the workspace. */
const CREATION_LOCK = 0x77656268;
