/** What a fault did, counted where it had to be felt: dropped packets, refused writes, processes that are gone. */
export interface Effect {
  /** What is counted, in a few words. */
  readonly what: string;
  readonly count: number;
  /** The least count of a fault that was done; 1 where it is absent. */
  readonly atLeast?: number;
}

/** The effects of a fault, or how they are read where they can be seen only when all has converged. */
export type Evidence = readonly Effect[] | (() => Promise<readonly Effect[]>);

export async function effectsOf(evidence: Evidence): Promise<readonly Effect[]> {
  return typeof evidence === 'function' ? evidence() : evidence;
}

/** Why these effects do not show that the fault was done, which nobody can have survived then; empty where they do. */
export function shortfalls(effects: readonly Effect[]): readonly string[] {
  if (effects.length === 0) return ['nothing shows that the fault was done'];
  return effects
    .filter(({ count, atLeast = 1 }) => !(count >= atLeast))
    .map(({ what, count, atLeast = 1 }) => `the fault was not done: ${what}: ${count}, not ${atLeast}`);
}

export function formatEffects(effects: readonly Effect[]): string {
  return effects.map(({ what, count }) => `${what}: ${count}`).join(', ');
}
