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
    const { ends } = work.progress;
    if (ends === undefined) return next('cutting', { ends: await durableLog.ends() });
    if (!(await isProjected(readModel, ends))) return WAIT;
    return next('marking', { upTo: (await readModel.head()).position });
  },

  async marking({ work, durableLog }) {
    const { mark, readyAt, caveat } = await durableLog.erasure.begin(work.entity);
    const dueInMs = Math.min(Math.max(0, readyAt - Date.now()), MAX_SETTLING_MS);
    return next('settling', { mark, ...(caveat !== undefined && { caveat }) }, dueInMs);
  },

  settling: (tools) =>
    withMark(tools, async ({ work, durableLog }, mark) => {
      if (!(await durableLog.erasure.isReady(work.entity, mark))) return WAIT;
      // Taken after it is ready: all that goes is before them.
      return next('catching_up', { ends: await durableLog.ends() });
    }),

  async catching_up({ work, readModel }) {
    return (await isProjected(readModel, work.progress.ends ?? new Map())) ? next('log') : WAIT;
  },

  log: (tools) =>
    withMark(tools, async ({ work, durableLog }, mark) => {
      await durableLog.erasure.finish(work.entity, mark, work.kept());
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
    return (await work.published()) >= (work.progress.publishUpTo ?? 0) ? next('delivery') : WAIT;
  },

  async delivery({ deliveryLog }) {
    await deliveryLog.forget();
    return next('elsewhere');
  },

  async elsewhere({ work, durableLog }) {
    const left = await work.eraseElsewhere();
    if (left === 'more') return MORE;
    if (left === 'waiting') return { kind: 'wait', waitMs: ELSEWHERE_WAIT_MS };
    return next('expiring', {}, durableLog.erasure.readersForgetMs);
  },

  expiring: () => Promise.resolve({ kind: 'done' }),
};

/** A mark that the log does not take any more is made anew. */
async function withMark(
  tools: ErasureTools,
  work: (tools: ErasureTools, mark: string) => Promise<StepOutcome>,
): Promise<StepOutcome> {
  const { mark } = tools.work.progress;
  if (mark === undefined) return next('marking');
  try {
    return await work(tools, mark);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'conflict') return next('marking', {}, WAIT_MS);
    throw error;
  }
}

/** Whether the read model has handled all records before these. */
async function isProjected(readModel: Pick<ReadModel, 'loadCheckpoints'>, ends: LaneCheckpoints): Promise<boolean> {
  const reached = await readModel.loadCheckpoints([...ends.keys()]);
  return [...ends].every(([lane, end]) => (reached.get(lane) ?? 0) >= end);
}
