import type { EncodedRecordedEvent, EventFamily, Position, RecordedEvent } from '@sluice/event-schema';
import { SluiceError } from '../errors';
import { BEFORE_FIRST } from '../position';
import {
  MAX_RETENTION_POLICIES,
  type EventRetention,
  type RetentionBounds,
  type RetentionPolicy,
  type RetentionScope,
  type RetentionStatus,
  type RetentionStep,
  type RetentionWork,
} from '../ports/event-retention';
import { RetentionRounds, type DuePolicy } from '../retention-rounds';
import type { MemoryModelState } from './memory-model-state';
import { firstWithin } from './memory-removed-events';

interface NotedPolicy {
  readonly scope: RetentionScope;
  maxAgeMs: number | undefined;
  changedAt: number;
  removedEvents: number;
  /** It was applied to everything up to here, in this numbering. */
  swept: { readonly epoch: string; readonly position: Position };
}

const UNSWEPT = { epoch: '', position: BEFORE_FIRST };

/** EventRetention in memory: the readable specification of the port. */
export class MemoryEventRetention implements EventRetention {
  private readonly noted = new Map<string, NotedPolicy>();
  private lease = { holder: '', fencingToken: 0, expiresAt: 0 };

  constructor(
    private readonly state: () => MemoryModelState,
    private readonly isRebuilding: () => boolean,
  ) {}

  async policies(): Promise<readonly RetentionStatus[]> {
    return this.inOrder().map(statusOf);
  }

  async setPolicy({ workspaceId, family, maxAgeMs }: RetentionPolicy): Promise<RetentionStatus> {
    const scope = { workspaceId, family };
    const known = this.noted.get(keyOf(scope));
    if (!known && this.noted.size >= MAX_RETENTION_POLICIES) {
      throw new SluiceError('conflict', `There are ${MAX_RETENTION_POLICIES} policies already`);
    }
    const { removedEvents, swept } = known ?? { removedEvents: 0, swept: UNSWEPT };
    const policy = { scope, maxAgeMs, changedAt: Date.now(), removedEvents, swept };
    this.noted.set(keyOf(scope), policy);
    return statusOf(policy);
  }

  async removePolicy(scope: RetentionScope): Promise<boolean> {
    if (!this.noted.delete(keyOf(scope))) return false;
    // What it was for is the default's now, which has passed it by.
    const byDefault = this.noted.get(keyOf({ ...scope, workspaceId: 'default' }));
    if (byDefault) byDefault.swept = UNSWEPT;
    return true;
  }

  async claim(holder: string, leaseMs: number): Promise<RetentionWork | undefined> {
    if (this.lease.expiresAt > Date.now()) return undefined;
    const fencingToken = this.lease.fencingToken + 1;
    this.lease = { holder, fencingToken, expiresAt: Date.now() + leaseMs };
    const whileHeld = async <T>(work: () => T): Promise<T> => {
      if (this.lease.fencingToken === fencingToken) return work();
      throw new SluiceError('conflict', 'Somebody else removes what is too old');
    };
    const rounds = new RetentionRounds({
      due: () => whileHeld(() => this.due()),
      sweep: (scope, bounds) => whileHeld(() => this.sweepOne(scope, bounds)),
    });
    return {
      step: (bounds) => rounds.step(bounds),
      backlog: () => rounds.backlog,
      renew: (ms) => whileHeld(() => void (this.lease.expiresAt = Date.now() + ms)),
      release: () => whileHeld(() => void (this.lease = { ...this.lease, holder: '', expiresAt: 0 })),
    };
  }

  private due(): readonly DuePolicy[] {
    const due = this.inOrder().flatMap((policy) => {
      const [next] = this.ahead(policy);
      const overdueMs = Date.now() - (policy.maxAgeMs ?? Infinity) - (next?.event.recordedAt ?? Infinity);
      return overdueMs >= 0 ? [{ scope: policy.scope, overdueMs }] : [];
    });
    return due.sort((a, b) => b.overdueMs - a.overdueMs);
  }

  private sweepOne(scope: RetentionScope, bounds: RetentionBounds): RetentionStep | undefined {
    if (this.isRebuilding()) return { kind: 'waiting' };
    const policy = this.noted.get(keyOf(scope));
    return policy && this.sweep(policy, bounds);
  }

  /** What comes next in position order. */
  private ahead({ scope, swept }: NotedPolicy): readonly EncodedRecordedEvent[] {
    const { epoch, events } = this.state();
    const after = swept.epoch === epoch ? swept.position : BEFORE_FIRST;
    return events.filter(
      ({ event }) =>
        event.position > after && (scope.workspaceId === 'default' || event.workspaceId === scope.workspaceId),
    );
  }

  private sweep(policy: NotedPolicy, { maxScanned, ...bounds }: RetentionBounds): RetentionStep | undefined {
    const { scope, maxAgeMs } = policy;
    if (maxAgeMs === undefined) return undefined;
    const state = this.state();
    const ahead = this.ahead(policy);
    const young = ahead.findIndex(({ event }) => event.recordedAt > Date.now() - maxAgeMs);
    const old = ahead.slice(0, Math.min(maxScanned, young === -1 ? Infinity : young));
    const due = old.filter(({ event }) => event.family === scope.family && this.governs(scope, event));
    const { taken, bytes } = firstWithin(state, due, bounds);
    const upTo = (taken.length === due.length ? old : taken).at(-1)?.event.position;
    if (upTo === undefined) return undefined;
    for (const { event } of taken) {
      state.remove(event);
      state.raiseFloor(event);
    }
    policy.swept = { epoch: state.epoch, position: upTo };
    policy.removedEvents += taken.length;
    return { kind: 'swept', scope, scanned: old.length, events: taken.length, bytes, upTo };
  }

  private governs({ workspaceId, family }: RetentionScope, event: RecordedEvent): boolean {
    return workspaceId === event.workspaceId || !this.noted.has(keyOf({ workspaceId: event.workspaceId, family }));
  }

  private inOrder(): NotedPolicy[] {
    const orderOf = ({ workspaceId }: RetentionScope) => (workspaceId === 'default' ? -1 : workspaceId);
    const compare = (a: EventFamily, b: EventFamily) => (a < b ? -1 : 1);
    return [...this.noted.values()].sort(
      ({ scope: a }, { scope: b }) => orderOf(a) - orderOf(b) || compare(a.family, b.family),
    );
  }
}

function statusOf({ scope, maxAgeMs, changedAt, removedEvents }: NotedPolicy): RetentionStatus {
  return { ...scope, ...(maxAgeMs !== undefined && { maxAgeMs }), changedAt, removedEvents };
}

const keyOf = ({ workspaceId, family }: RetentionScope) => `${workspaceId}/${family}`;
