import { encodeEnvelope } from '@sluice/event-schema';
import { SluiceError } from '../errors';
import {
  ERASABLE_FAMILIES,
  ERASURE_STEPS,
  MAX_LISTED_ERASURES,
  MAX_OPEN_ERASURES,
  type ErasureBacklog,
  type Erasures,
  type ErasureRequest,
  type ErasureStatus,
  type ErasureWork,
} from '../ports/erasures';
import type { EntityRef } from '../ports/removed-events';
import { FieldErasureCheck } from '../redact-envelope';
import { isOpen, MemoryErasureWork, type ErasedModel, type NotedErasure } from './memory-erasure-work';

/** Erasures in memory. What apps keep beside the log is not known here, and stays. */
export class MemoryErasures implements Erasures {
  private readonly noted: NotedErasure[] = [];

  constructor(private readonly model: ErasedModel) {}

  get isUnderWay(): boolean {
    return this.noted.some(isOpen);
  }

  async request(request: ErasureRequest): Promise<ErasureStatus> {
    const { entity, fields } = request;
    if (!ERASABLE_FAMILIES.some((family) => family === entity.family)) {
      const message = `Events of the family ${entity.family} are public and are not erased`;
      throw new SluiceError('invalid_request', message, { where: 'family' });
    }
    this.requireErasable(entity, fields);
    if (this.model.isRebuilt())
      throw new SluiceError('conflict', 'The read model is being rebuilt, or was and is kept');
    const open = this.noted.filter(isOpen);
    if (open.some((other) => isSame(other.entity, entity))) {
      throw new SluiceError('conflict', 'An erasure of this entity is open already');
    }
    if (open.length >= MAX_OPEN_ERASURES) throw new SluiceError('overloaded', 'Too many erasures are open');
    const erasure: NotedErasure = {
      erasureId: this.noted.length + 1,
      entity,
      fields,
      step: ERASURE_STEPS[0],
      progress: {},
      requestedAt: Date.now(),
      dueAt: 0,
      holder: '',
      fencingToken: 0,
      expiresAt: 0,
      erasedEvents: 0,
      erasedParked: 0,
    };
    this.noted.push(erasure);
    return statusOf(erasure);
  }

  async find(erasureId: number): Promise<ErasureStatus | undefined> {
    const erasure = this.noted[erasureId - 1];
    return erasure && statusOf(erasure);
  }

  async list({ before = Infinity, limit }: { before?: number; limit: number }): Promise<readonly ErasureStatus[]> {
    const older = this.noted.filter(({ erasureId }) => erasureId < before).reverse();
    return older.slice(0, Math.min(limit, MAX_LISTED_ERASURES)).map(statusOf);
  }

  async abandon(erasureId: number): Promise<ErasureStatus> {
    const erasure = this.noted[erasureId - 1];
    if (!erasure) throw new SluiceError('not_found', 'There is no such erasure');
    if (erasure.finishedAt !== undefined) throw new SluiceError('conflict', 'The erasure is done');
    erasure.abandonedAt ??= Date.now();
    return statusOf(erasure);
  }

  async backlog(): Promise<ErasureBacklog> {
    const open = this.noted.filter(isOpen);
    const now = Date.now();
    return { open: open.length, oldestMs: Math.max(0, ...open.map(({ requestedAt }) => now - requestedAt)) };
  }

  async claim(holder: string, leaseMs: number): Promise<ErasureWork | undefined> {
    const now = Date.now();
    const due = this.noted.filter((erasure) => isOpen(erasure) && erasure.dueAt <= now);
    const [next] = due.filter(({ expiresAt }) => expiresAt <= now).sort((a, b) => a.dueAt - b.dueAt);
    if (!next) return undefined;
    Object.assign(next, { holder, fencingToken: next.fencingToken + 1, expiresAt: now + leaseMs });
    return new MemoryErasureWork(this.model, next);
  }

  private requireErasable(entity: EntityRef, fields: readonly string[]): void {
    const check = new FieldErasureCheck(fields);
    const state = this.model.live();
    if (state.entityOf(entity) === undefined) throw new SluiceError('not_found', 'There is no such entity');
    if (fields.length === 0) return;
    for (const { event } of state.events) if (isSame(event, entity)) check.look(encodeEnvelope(event));
    const abandoned = this.noted.filter((other) => other.abandonedAt !== undefined && isSame(other.entity, entity));
    check.end(abandoned.flatMap((other) => other.fields));
  }
}

function isSame(a: EntityRef, b: EntityRef): boolean {
  return a.workspaceId === b.workspaceId && a.family === b.family && a.entityId === b.entityId;
}

function statusOf(erasure: NotedErasure): ErasureStatus {
  const {
    erasureId,
    entity,
    fields,
    step,
    progress,
    requestedAt,
    finishedAt,
    abandonedAt,
    holder,
    erasedEvents,
    erasedParked,
    fault,
  } = erasure;
  const isHeld = isOpen(erasure) && holder !== '' && erasure.expiresAt > Date.now();
  return {
    erasureId,
    entity,
    fields,
    ...(finishedAt === undefined ? { step } : { finishedAt }),
    requestedAt,
    ...(abandonedAt !== undefined && { abandonedAt }),
    ...(isHeld && { holder }),
    ...(progress.upTo !== undefined && { upTo: progress.upTo }),
    erasedEvents,
    erasedParked,
    ...(progress.caveat !== undefined && { caveat: progress.caveat }),
    ...(fault !== undefined && { fault }),
  };
}
