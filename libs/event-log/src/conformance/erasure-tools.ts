import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import type { ErasureRequest, Erasures, ErasureWork } from '../ports/erasures';
import type { ReadModel } from '../ports/read-model';
import type { ReadModelRebuilds } from '../ports/read-model-rebuild';
import type { EntityRef } from '../ports/removed-events';
import { sandboxEnvelope } from './tools';

export interface ErasedModel {
  readonly model: ReadModel;
  readonly erasures: Erasures;
  readonly rebuilds: ReadModelRebuilds;
}

export interface ErasureHarness {
  /** Every test gets a fresh model. */
  open(): Promise<ErasedModel>;
  destroy(): Promise<void>;
}

export const LEASE_MS = 60_000;
export const ENTITY: EntityRef = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-1' };
export const MARKER = 'a-text-that-is-to-go';

/** A model for each test of the block that calls it, and what tests of erasures do to it. */
export function erasureWorld(createHarness: () => Promise<ErasureHarness>) {
  let harness: ErasureHarness;
  let current: ErasedModel;
  beforeEach(async () => {
    harness = await createHarness();
    current = await harness.open();
  });
  afterEach(() => harness.destroy());

  const event = (more: Partial<EventEnvelope> = {}) => sandboxEnvelope({ ...ENTITY, data: { text: MARKER }, ...more });
  const record = async (...envelopes: readonly EncodedEnvelope[]) =>
    (await current.model.record({ envelopes, parked: [], checkpoints: new Map() })).recorded;
  const texts = async (entity: EntityRef = ENTITY) => {
    const filter = { workspaceIds: [entity.workspaceId], families: [entity.family], entityIds: [entity.entityId] };
    return (await current.model.read({ filter, limit: 10_000 })).events;
  };
  const claim = async () => {
    const work = await current.erasures.claim('a worker', LEASE_MS);
    if (!work) throw new Error('there is nothing to do');
    return work;
  };
  /** To where events go, up to the head. */
  const begin = async (request: Partial<ErasureRequest> = {}): Promise<ErasureWork> => {
    await current.erasures.request({ entity: ENTITY, fields: [], ...request });
    const work = await claim();
    await work.advance('events', { upTo: (await current.model.head()).position });
    return work;
  };
  const finish = async (work: ErasureWork) => {
    while (await work.eraseEvents());
    await work.projectAnew();
    while (await work.eraseParked());
    await work.finish();
  };
  const collect = async (kept: AsyncIterable<readonly EncodedEnvelope[]>) => {
    const all: EncodedEnvelope[] = [];
    for await (const batch of kept) all.push(...batch);
    return all;
  };
  return {
    get model() {
      return current.model;
    },
    get erasures() {
      return current.erasures;
    },
    get rebuilds() {
      return current.rebuilds;
    },
    ...{ event, record, texts, claim, begin, finish, collect },
  };
}
