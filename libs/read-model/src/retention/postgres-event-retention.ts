import type {
  EventRetention,
  RetentionBounds,
  RetentionPolicy,
  RetentionScope,
  RetentionStatus,
  RetentionStep,
  RetentionWork,
} from '@sluice/event-log';
import type { Pool } from 'pg';
import type { Queries } from '../database';
import { inTransaction, queriesOf } from '../transaction';
import { orUnavailable } from '../unavailable';
import { isRebuilding } from './remove-events';
import { claimLease, haltRetention, holdLease, renewLease, type RetentionGrant } from './retention-lease';
import { deletePolicy, insertPolicy, listPolicies, listScopes } from './retention-policies';
import { sweep } from './sweep';

/** EventRetention in PostgreSQL. */
export class PostgresEventRetention implements EventRetention {
  constructor(private readonly pool: Pool) {}

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
    return grant && new PostgresRetentionWork(this.pool, grant);
  }
}

class PostgresRetentionWork implements RetentionWork {
  /** Policies that may have something left to remove; undefined before the first step of a round. */
  private left: RetentionScope[] | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly grant: RetentionGrant,
  ) {}

  async step(bounds: RetentionBounds): Promise<RetentionStep> {
    this.left ??= await orUnavailable(() => listScopes(queriesOf(this.pool)));
    for (let [scope] = this.left; scope; [scope] = this.left) {
      const step = await this.sweepOne(scope, bounds);
      if (step) return step;
      this.left.shift();
    }
    this.left = undefined;
    return { kind: 'done' };
  }

  private sweepOne(scope: RetentionScope, bounds: RetentionBounds): Promise<RetentionStep | undefined> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await holdLease(queries, this.grant);
        if (await isRebuilding(queries)) return { kind: 'waiting' };
        return sweep(queries, scope, bounds);
      }),
    );
  }

  renew(leaseMs: number): Promise<void> {
    return orUnavailable(() => renewLease(queriesOf(this.pool), this.grant, leaseMs));
  }

  release(): Promise<void> {
    return this.renew(0);
  }
}
