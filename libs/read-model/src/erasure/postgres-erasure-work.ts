import {
  keptOf,
  parseFieldPointers,
  SluiceError,
  toPosition,
  type EntityRef,
  type ErasedPart,
  type ErasureProgress,
  type ErasureRequest,
  type ErasureStep,
  type ErasureWork,
  type RedactOptions,
} from '@sluice/event-log';
import type { EncodedEnvelope, Position } from '@sluice/event-schema';
import type { Pool, PoolClient } from 'pg';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import type { ProjectEvent } from '../record-transaction';
import { refuseWhileRebuilding } from '../retention/remove-events';
import { inTransaction, queriesOf } from '../transaction';
import { orUnavailable } from '../unavailable';
import { acceptsIn } from './accepts';
import { pagesOfEntity } from './entity-events';
import { eraseElsewhere, takeSamples } from './erase-elsewhere';
import { eraseFields, eraseWhole } from './erase-events';
import { eraseParkedPage } from './erase-parked';
import { lockErasure, progressText, updateErasure, type ErasureGrant } from './erasure-row';
import { foldEntity, makeAnew } from './project-anew';

/** ErasureWork in PostgreSQL. What it does in parts is noted in the transaction of each part. */
export class PostgresErasureWork implements ErasureWork {
  readonly erasureId: number;
  readonly entity: EntityRef;
  readonly fields: readonly string[];
  private at: { readonly step: ErasureStep; readonly progress: ErasureProgress };
  private readonly options: RedactOptions;

  constructor(
    private readonly pool: Pool,
    private readonly grant: ErasureGrant,
    { entity, fields }: ErasureRequest,
    at: { readonly step: ErasureStep; readonly progress: ErasureProgress },
    private readonly project: ProjectEvent,
  ) {
    this.erasureId = Number(grant.erasureId);
    this.entity = entity;
    this.fields = fields;
    this.at = at;
    this.options = acceptsIn(project);
  }

  get step(): ErasureStep {
    return this.at.step;
  }

  get progress(): ErasureProgress {
    return this.at.progress;
  }

  /** Waits for who is just abandoning it. */
  async requireHeld(): Promise<void> {
    await orUnavailable(() => lockErasure(this.queries(), this.grant));
  }

  async advance(step: ErasureStep, more: ErasureProgress = {}, dueInMs = 0): Promise<void> {
    const progress = { ...this.at.progress, ...more };
    const upTo = progress.upTo === undefined ? null : BigInt(progress.upTo);
    await this
      .update(Prisma.sql`step = ${step}, progress = ${progressText(progress)}, up_to = ${upTo}::bigint, scanned = 0,
      fault = NULL, due_at = clock_timestamp() + ${dueInMs} * interval '1 millisecond'`);
    this.at = { step, progress };
  }

  async *kept(): AsyncGenerator<readonly EncodedEnvelope[]> {
    const part = this.part();
    const after = this.fields.length === 0 ? part.upTo : 0;
    const pages = pagesOfEntity(this.queries(), this.entity, after);
    for (;;) {
      const page = await orUnavailable(() => pages.next());
      await this.requireHeld();
      if (page.done) return;
      const kept = page.value.flatMap(({ envelope, position }) => {
        const one = keptOf(envelope, position, part, this.options);
        return one === undefined ? [] : [one];
      });
      if (kept.length > 0) yield kept;
    }
  }

  eraseEvents(): Promise<boolean> {
    return this.inErasure(async (queries, { scanned }) => {
      const part = this.part();
      const { events, upTo, hasMore } =
        part.paths.length === 0
          ? await eraseWhole(queries, this.entity, part.upTo)
          : await eraseFields(queries, this.entity, scanned, part, this.options);
      await updateErasure(
        queries,
        this.grant,
        Prisma.sql`scanned = ${BigInt(upTo)}::bigint, erased_events = erased_events + ${BigInt(events)}::bigint`,
      );
      return hasMore;
    });
  }

  /** Most of it is read before the lock is taken, under which nobody records. */
  async projectAnew(): Promise<void> {
    const before = await orUnavailable(() => foldEntity(this.queries(), this.entity, this.project));
    await this.inErasure((queries, _at, client) => makeAnew(queries, client, this.entity, this.project, before));
  }

  eraseParked(): Promise<boolean> {
    return this.inErasure(async (queries, { scanned }) => {
      const { erased, upTo } = await eraseParkedPage(queries, this.entity, scanned);
      if (upTo === undefined) return false;
      await updateErasure(
        queries,
        this.grant,
        Prisma.sql`scanned = ${BigInt(upTo)}::bigint, erased_parked = erased_parked + ${erased}::bigint`,
      );
      return true;
    });
  }

  async published(): Promise<Position> {
    const [row] = await orUnavailable(
      () =>
        this.queries().$queryRaw<
          { published: string }[]
        >`SELECT published FROM read_model.publisher_lease WHERE id = 1`,
    );
    return toPosition(Number(row?.published ?? 0));
  }

  async eraseElsewhere(): Promise<'more' | 'waiting' | 'done'> {
    const isWhole = this.fields.length === 0;
    const left = await this.inErasure((queries) => eraseElsewhere(queries, this.entity, isWhole));
    if (left === 'done') await orUnavailable(() => takeSamples(this.queries()));
    return left;
  }

  renew(leaseMs: number): Promise<void> {
    return this.update(Prisma.sql`expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'`);
  }

  note(fault: string): Promise<void> {
    return this.update(Prisma.sql`fault = ${fault}`);
  }

  release(dueInMs: number): Promise<void> {
    return this.update(Prisma.sql`holder = '', expires_at = clock_timestamp(),
      due_at = greatest(due_at, clock_timestamp() + ${dueInMs} * interval '1 millisecond')`);
  }

  finish(): Promise<void> {
    return this.update(Prisma.sql`is_open = NULL, finished_at = clock_timestamp(), fault = NULL, holder = ''`);
  }

  private part(): ErasedPart {
    const { upTo } = this.progress;
    if (upTo === undefined) throw new SluiceError('internal', 'It is not known yet which events are erased');
    return { upTo, paths: parseFieldPointers(this.fields) };
  }

  private queries(): Queries {
    return queriesOf(this.pool);
  }

  private update(changes: Prisma.Sql): Promise<void> {
    return orUnavailable(() => updateErasure(this.queries(), this.grant, changes));
  }

  private inErasure<T>(
    work: (queries: Queries, at: { readonly scanned: number }, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries, client) => {
        await refuseWhileRebuilding(queries);
        const { scanned } = await lockErasure(queries, this.grant);
        return work(queries, { scanned: Number(scanned) }, client);
      }),
    );
  }
}
