import {
  RetentionRounds,
  type EventRetention,
  type RetentionBacklog,
  type RetentionBounds,
  type RetentionPolicy,
  type RetentionScope,
  type RetentionStatus,
  type RetentionStep,
  type RetentionWork,
} from '@sluice/event-log';
import type { Pool } from 'pg';
import type { Queries } from '../database';
import { inTransaction, queriesOf } from '../transaction';
import { orUnavailable } from '../unavailable';
import { isRebuilding } from './remove-events';
import { claimLease, haltRetention, holdLease, releaseLease, renewLease, type RetentionGrant } from './retention-lease';
import { deletePolicy, insertPolicy, listPolicies } from './retention-policies';
import { listDue, sweep } from './sweep';

/** EventRetention in PostgreSQL. */
export class PostgresEventRetention implements EventRetention {
  /** @param now the time by this process's clock, in milliseconds since 1970 */
  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = Date.now,
  ) {}

  policies(): Promise<readonly RetentionStatus[]> {
    return orUnavailable(() => listPolicies(queriesOf(this.pool)));
  }

  setPolicy(policy: RetentionPolicy): Promise<RetentionStatus> {
    return this.whileHalted((queries) => insertPolicy(queries, policy));
  }

  removePolicy(scope: RetentionScope): Promise<boolean> {
    return this.whileHalted((queries) => deletePolicy(queries, scope));
  }

  private whileHalted<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await haltRetention(queries);
        return work(queries);
      }),
    );
  }

  async claim(holder: string, leaseMs: number): Promise<RetentionWork | undefined> {
    const grant = await orUnavailable(() => claimLease(queriesOf(this.pool), holder, leaseMs));
    return grant && new PostgresRetentionWork(this.pool, this.now, grant);
  }
}

class PostgresRetentionWork implements RetentionWork {
  private readonly rounds: RetentionRounds;

  constructor(
    private readonly pool: Pool,
    private readonly now: () => number,
    private readonly grant: RetentionGrant,
  ) {
    this.rounds = new RetentionRounds({
      due: () => orUnavailable(() => listDue(queriesOf(pool), now())),
      sweep: (scope, bounds) => this.sweepOne(scope, bounds),
    });
  }

  step(bounds: RetentionBounds): Promise<RetentionStep> {
    return this.rounds.step(bounds);
  }

  backlog(): RetentionBacklog {
    return this.rounds.backlog;
  }

  private sweepOne(scope: RetentionScope, bounds: RetentionBounds): Promise<RetentionStep | undefined> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await holdLease(queries, this.grant);
        if (await isRebuilding(queries)) return { kind: 'waiting' };
        return sweep(queries, scope, bounds, this.now());
      }),
    );
  }

  renew(leaseMs: number): Promise<void> {
    return orUnavailable(() => renewLease(queriesOf(this.pool), this.grant, leaseMs));
  }

  release(): Promise<void> {
    return orUnavailable(() => releaseLease(queriesOf(this.pool), this.grant));
  }
}
