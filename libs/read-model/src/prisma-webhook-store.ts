import { SluiceError, type CursorPlace } from '@sluice/event-log';
import {
  changedEndpoint,
  MAX_WEBHOOK_PAGE,
  WEBHOOK_RETENTION,
  type DeadLetter,
  type DeliveryEntry,
  type EndpointState,
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
import { letReplay } from './webhook-replay';
import { pruneWebhooks } from './webhook-pruning';
import {
  ENDPOINT_COLUMNS,
  HAS_REPLAYS,
  isHeldBy,
  lostWebhookGrant,
  recordDelivery,
  updateHeld,
  type HeldPlace,
} from './webhook-leases';
import {
  blockedText,
  endpointText,
  fromDeadLetterRow,
  fromDeliveryRow,
  fromEndpointRow,
  type DeadLetterRow,
  type EndpointRow,
} from './webhook-rows';

/** Attempts of a change that meets others. */
const MAX_CHANGE_ATTEMPTS = 20;

/** Above every id. */
const NO_BEFORE = 2n ** 62n;

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
            (endpoint_id, workspace_id, version, endpoint, disabled_reason, disabled_at, expires_at, epoch, position)
          SELECT ${endpointId}, ${workspaceId}::int, ${BigInt(version)}, ${endpointText(endpoint)},
            ${disabled?.reason ?? null}::text, ${disabled === undefined ? null : BigInt(disabled.at)}::bigint,
            statement_timestamp(), ${place.epoch}, ${BigInt(place.position)}
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
    change: WebhookEndpointChange,
  ): Promise<EndpointState | undefined> {
    for (let attempt = 0; attempt < MAX_CHANGE_ATTEMPTS; attempt++) {
      const before = await this.find(workspaceId, endpointId);
      if (before === undefined) return undefined;
      const after = changedEndpoint(before, change);
      if (await this.replace(before, after)) return after;
    }
    throw new SluiceError('overloaded', 'The endpoint is being changed by too many at once');
  }

  /** False where somebody else changed it meanwhile. What its holder knows is left alone unless the change is about it. */
  private async replace(before: EndpointState, { endpoint, progress }: EndpointState): Promise<boolean> {
    const { disabled } = endpoint;
    const isEnabledAgain = before.endpoint.disabled !== undefined && disabled === undefined;
    const changed = await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE webhooks.endpoints e SET
        version = ${BigInt(endpoint.version)}, endpoint = ${endpointText(endpoint)},
        disabled_reason = ${disabled?.reason ?? null}::text,
        disabled_at = ${disabled === undefined ? null : BigInt(disabled.at)}::bigint,
        blocked = CASE WHEN ${isEnabledAgain} THEN ${blockedText(progress)}::text ELSE e.blocked END
      WHERE e.endpoint_id = ${endpoint.endpointId} AND e.version = ${BigInt(before.endpoint.version)}
        AND e.disabled_reason IS NOT DISTINCT FROM ${before.endpoint.disabled?.reason ?? null}::text`,
    );
    return changed === 1;
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

  async record(grant: WebhookGrant, delivery: RecordedDelivery): Promise<void> {
    const { deliveriesPerEndpoint, deadLettersPerEndpoint } = this.retention;
    await orUnavailable(() => recordDelivery(this.database, grant, delivery, deliveriesPerEndpoint));
    if (delivery.deadLetter === undefined) return;
    await orUnavailable(
      () => this.database.$executeRaw`
      DELETE FROM webhooks.dead_letters
      WHERE endpoint_id = ${grant.endpointId} AND dead_letter_id <= (
        SELECT dead_letter_id FROM webhooks.dead_letters WHERE endpoint_id = ${grant.endpointId}
        ORDER BY dead_letter_id DESC OFFSET ${deadLettersPerEndpoint} LIMIT 1
      )`,
    );
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

  async log(workspaceId: number, endpointId: string, entry: DeliveryEntry): Promise<boolean> {
    if (!canBeStored(endpointId)) return false;
    const logged = await orUnavailable(
      () => this.database.$executeRaw`
      WITH of AS (
        UPDATE webhooks.endpoints SET last_delivery_id = last_delivery_id + 1
        WHERE endpoint_id = ${endpointId} AND workspace_id = ${workspaceId}::int
        RETURNING endpoint_id, last_delivery_id
      ), forgotten AS (
        DELETE FROM webhooks.deliveries d USING of WHERE d.endpoint_id = of.endpoint_id
          AND d.delivery_id <= of.last_delivery_id - ${this.retention.deliveriesPerEndpoint}::bigint
      )
      INSERT INTO webhooks.deliveries (endpoint_id, delivery_id, at, entry)
      SELECT endpoint_id, last_delivery_id, ${BigInt(entry.at)}::bigint, ${JSON.stringify(entry)} FROM of`,
    );
    return logged === 1;
  }

  async deliveries(query: PastQuery): Promise<readonly StoredDelivery[] | undefined> {
    const { workspaceId, endpointId, before, limit } = query;
    if (!canBeStored(endpointId)) return undefined;
    const rows = await orUnavailable(
      () => this.database.$queryRaw<Nullable<{ readonly delivery_id: bigint; readonly entry: string }>[]>`
      SELECT d.delivery_id, d.entry FROM webhooks.endpoints e LEFT JOIN LATERAL (
        SELECT delivery_id, entry FROM webhooks.deliveries
        WHERE endpoint_id = e.endpoint_id AND delivery_id < ${beforeOf(before)}
        ORDER BY delivery_id DESC LIMIT ${page(limit)}
      ) d ON true
      WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int ORDER BY d.delivery_id DESC`,
    );
    return rows.length === 0 ? undefined : rows.filter(isPresent).map(fromDeliveryRow);
  }

  async deadLetters(query: PastQuery): Promise<readonly DeadLetter[] | undefined> {
    const { workspaceId, endpointId, before, limit } = query;
    if (!canBeStored(endpointId)) return undefined;
    const rows = await orUnavailable(
      () => this.database.$queryRaw<Nullable<DeadLetterRow>[]>`
      SELECT l.* FROM webhooks.endpoints e LEFT JOIN LATERAL (
        SELECT dead_letter_id, dead_at, replay_at, letter FROM webhooks.dead_letters
        WHERE endpoint_id = e.endpoint_id AND dead_letter_id < ${beforeOf(before)}
        ORDER BY dead_letter_id DESC LIMIT ${page(limit)}
      ) l ON true
      WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int ORDER BY l.dead_letter_id DESC`,
    );
    return rows.length === 0 ? undefined : rows.filter(isPresent).map(fromDeadLetterRow);
  }

  async replay(query: Parameters<WebhookStore['replay']>[0]): Promise<number | undefined> {
    return canBeStored(query.endpointId) ? letReplay(this.database, query) : undefined;
  }

  prune(query: Parameters<WebhookStore['prune']>[0]): ReturnType<WebhookStore['prune']> {
    return pruneWebhooks(this.database, query);
  }
}

/** Locks of this kind are about making endpoints; the second key is the workspace. */
const CREATION_LOCK = 0x77656268;

interface RenewedRow {
  readonly endpoint_id: string;
  readonly version: bigint;
  readonly is_enabled: boolean;
  readonly has_replays: boolean;
}

/** Of an outer join: a row without values stands for an endpoint that has none. */
type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

function isPresent<Row extends object>(row: Nullable<Row>): row is Nullable<Row> & Row {
  return Object.values(row)[0] !== null;
}

const page = (limit: number): number => Math.min(limit, MAX_WEBHOOK_PAGE);
const beforeOf = (before: number | undefined): bigint => (before === undefined ? NO_BEFORE : BigInt(before));
