import type { ClusterSystem, EmbeddedSystem } from '../../e2e/system';
import type { Trial } from './trial';

export type EngineName = 'cluster' | 'embedded';

/** What a class is given to do its faults to. */
export interface FaultBench<S = ClusterSystem | EmbeddedSystem> {
  readonly system: S;
  readonly trial: Trial;
  /** How often each fault of the class is done. */
  readonly rounds: number;
}

/** How a class does its faults to one engine. */
export interface EngineFaults<S> {
  /** Rounds where the command names none. */
  readonly rounds: number;
  /** Settings of the system, beside the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes the ground on which the system's folder stands, before it starts; gives how it is cleared away. */
  readonly prepare?: (dataDir: string) => Promise<Ground>;
  /** What is missing on this machine, in a few words; undefined where the class can be run. */
  readonly needs?: () => string | undefined;
  /** The whole run is made in a network namespace of its own, whose rules are nobody else's. */
  readonly inOwnNetwork?: boolean;
  readonly run: (bench: FaultBench<S>) => Promise<void>;
}

/** What a class made under a system, and what it makes the system start with. */
export interface Ground {
  readonly settings?: Readonly<Record<string, string>>;
  readonly clear: () => Promise<void>;
}

/** One kind of fault: a file of `regression/`. */
export interface FaultClass {
  /** As the command names it; the name of its file. */
  readonly name: string;
  /** What is done, in one line. */
  readonly what: string;
  readonly cluster?: EngineFaults<ClusterSystem>;
  readonly embedded?: EngineFaults<EmbeddedSystem>;
}
