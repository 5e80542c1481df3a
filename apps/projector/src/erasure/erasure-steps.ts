import {
  SluiceError,
  type DeliveryLog,
  type DurableLog,
  type ErasureProgress,
  type ErasureStep,
  type ErasureWork,
  type LaneCheckpoints,
  type ReadModel,
} from '@sluice/event-log';

/** What the steps of an erasure are done with. */
export interface ErasureTools {
  readonly work: ErasureWork;
  readonly durableLog: Pick<DurableLog, 'ends' | 'erasure'>;
  readonly deliveryLog: Pick<DeliveryLog, 'forget'>;
  readonly readModel: Pick<ReadModel, 'head' | 'loadCheckpoints'>;
}

/** What came of one go at a step. */
export type StepOutcome =
  /** There is more of it. */
  | { readonly kind: 'more' }
  /** It has to wait for something; to be tried again after so long. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  | {
      readonly kind: 'next';
      readonly step: ErasureStep;
      readonly progress?: ErasureProgress;
      readonly dueInMs?: number;
    }
  | { readonly kind: 'done' };

/** How often it is looked whether others have done what a step waits for. */
const WAIT_MS = 500;
/** How often it is looked whether another app has removed files. */
const ELSEWHERE_WAIT_MS = 5_000;
/** Longest pause before the log is asked whether it is ready. */
const MAX_SETTLING_MS = 60_000;

const MORE: StepOutcome = { kind: 'more' };
const WAIT: StepOutcome = { kind: 'wait', waitMs: WAIT_MS };
const next = (step: ErasureStep, progress?: ErasureProgress, dueInMs?: number): StepOutcome => ({
  kind: 'next',
  step,
  ...(progress && { progress }),
  ...(dueInMs !== undefined && { dueInMs }),
});

/** A go at each step; all of it may be repeated. The compiler asks for a line when a step is added. */
export const STEPS: { readonly [S in ErasureStep]: (tools: ErasureTools) => Promise<StepOutcome> } = {
  async cutting({ work, durableLog, readModel }) {
    const { requestedEnds } = work.progress;
    if (requestedEnds === undefined) return next('cutting', { requestedEnds: await durableLog.ends() });
    if (!(await isProjected(readModel, requestedEnds))) return WAIT;
    return next('marking', { upTo: (await readModel.head()).position });
  },

  async marking({ work, durableLog }) {
    const { mark, readyAt, caveat } = await durableLog.erasure.begin(work.entity);
    const dueInMs = Math.min(Math.max(0, readyAt - Date.now()), MAX_SETTLING_MS);
    return next('settling', { mark, ...(caveat !== undefined && { caveat }) }, dueInMs);
  },

  settling: (tools) =>
    withMark(tools, async (mark) => {
      const { work, durableLog } = tools;
      if (!(await durableLog.erasure.isReady(work.entity, mark))) return WAIT;
      // Taken after it is ready: all that goes is before them.
      return next('catching_up', { sealedEnds: await durableLog.ends() });
    }),

  async catching_up({ work, readModel }) {
    const { sealedEnds } = work.progress;
    // Of a version that noted it otherwise: it is taken again.
    if (sealedEnds === undefined) return next('settling');
    return (await isProjected(readModel, sealedEnds)) ? next('log') : WAIT;
  },

  log: (tools) =>
    withMark(tools, async (mark) => {
      const { work, durableLog, readModel } = tools;
      const { sealedEnds } = work.progress;
      if (sealedEnds === undefined) return next('settling');
      if (!(await isProjected(readModel, sealedEnds))) return WAIT;
      const kept = keptUnlessLost(work, readModel, sealedEnds);
      await durableLog.erasure.finish(work.entity, mark, kept, () => work.requireHeld());
      return next('events');
    }),

  async events({ work }) {
    return (await work.eraseEvents()) ? MORE : next('projections');
  },

  async projections({ work }) {
    await work.projectAnew();
    return next('parked');
  },

  async parked({ work, readModel }) {
    if (await work.eraseParked()) return MORE;
    return next('publishing', { publishUpTo: (await readModel.head()).position });
  },

  async publishing({ work }) {
    const publishUpTo = known(work.progress.publishUpTo, 'what was recorded');
    return (await work.published()) >= publishUpTo ? next('delivery') : WAIT;
  },

  async delivery({ deliveryLog }) {
    await deliveryLog.forget();
    return next('elsewhere');
  },

  async elsewhere({ work, durableLog }) {
    const left = await work.eraseElsewhere();
    if (left === 'more') return MORE;
    if (left === 'waiting') return { kind: 'wait', waitMs: ELSEWHERE_WAIT_MS };
    return next('expiring', {}, await durableLog.erasure.readersForgetMs());
  },

  expiring: () => Promise.resolve({ kind: 'done' }),
};

/**
 * What is to be kept. Nothing goes before all of it is read.
 * @throws SluiceError `read_model_unavailable` where the read model has lost commits: it does not have all then
 */
async function* keptUnlessLost(
  work: ErasureWork,
  readModel: Pick<ReadModel, 'loadCheckpoints'>,
  ends: LaneCheckpoints,
): ReturnType<ErasureWork['kept']> {
  yield* work.kept();
  if (await isProjected(readModel, ends)) return;
  throw new SluiceError('read_model_unavailable', 'The read model has lost events; they are read from the log again');
}

/** Does a step that needs the mark. One that the log does not take any more is made anew. */
async function withMark({ work }: ErasureTools, step: (mark: string) => Promise<StepOutcome>): Promise<StepOutcome> {
  const { mark } = work.progress;
  if (mark === undefined) return next('marking');
  try {
    return await step(mark);
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'conflict')) throw error;
    // Of the log, unless the erasure was abandoned or is somebody else's.
    await work.requireHeld();
    return next('marking', {}, WAIT_MS);
  }
}

/** @throws SluiceError `internal` where an earlier step did not note it: without it what is to go would be left */
function known<T>(noted: T | undefined, what: string): T {
  if (noted === undefined) throw new SluiceError('internal', `No step of the erasure has noted ${what}`);
  return noted;
}

/** Whether the read model has handled all records before these. */
async function isProjected(readModel: Pick<ReadModel, 'loadCheckpoints'>, ends: LaneCheckpoints): Promise<boolean> {
  const reached = await readModel.loadCheckpoints([...ends.keys()]);
  return [...ends].every(([lane, end]) => (reached.get(lane) ?? 0) >= end);
}
