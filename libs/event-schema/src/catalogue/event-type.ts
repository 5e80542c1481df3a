import type { z } from 'zod';
import type { EventFamily } from '../family';

/** The data of an event of any type. */
export type EventData = Record<string, unknown>;

/** Changes the data of version `from` into that of `from + 1`. Pure; it never changes its argument. */
export interface Upcaster {
  readonly from: number;
  /** What the data of version `from` looks like. */
  readonly data: z.ZodType<EventData>;
  upcast(data: EventData): EventData;
}

/** What an event type is called and what it means. */
export interface EventTypeName {
  readonly family: EventFamily;
  readonly type: string;
  readonly description: string;
}

/** One event type: its current version, the schema of its data at that version, and the way up from older ones. */
export interface EventTypeDefinition extends EventTypeName {
  readonly version: number;
  readonly data: z.ZodType<EventData>;
  readonly upcasters: readonly Upcaster[];
}

/** An event type whose current data is `D`. Each step is checked by the compiler against the version before it. */
export interface EventTypeHistory<D extends EventData> extends EventTypeDefinition {
  /** The type with one version more. `upcast` gets data of the version before and must not change it. */
  next<N extends EventData>(data: z.ZodType<N>, upcast: (earlier: D) => N): EventTypeHistory<N>;
}

/** An event type at version 1. Later versions are added by `next`, in order, so a chain has no gap. */
export function defineEventType<D extends EventData>(name: EventTypeName, data: z.ZodType<D>): EventTypeHistory<D> {
  return historyOf<D>({ ...name, version: 1, data, upcasters: [] });
}

function historyOf<D extends EventData>(definition: EventTypeDefinition): EventTypeHistory<D> {
  const { version, data, upcasters } = definition;
  return {
    ...definition,
    next: <N extends EventData>(nextData: z.ZodType<N>, upcast: (earlier: D) => N) => {
      const step: { from: number; data: z.ZodType<EventData>; upcast(earlier: D): N } = { from: version, data, upcast };
      return historyOf<N>({
        ...definition,
        version: version + 1,
        data: nextData,
        // The catalogue hands a step only what its own schema accepted.
        upcasters: [...upcasters, step],
      });
    },
  };
}
