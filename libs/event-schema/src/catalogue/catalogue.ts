import type { z } from 'zod';
import type { EventEnvelope } from '../envelope';
import { eventDataSchema } from '../envelope';
import type { EventFamily } from '../family';

/** Changes the data of version `from` into that of `from + 1`. Pure; it never changes its argument. */
export interface Upcaster {
  readonly from: number;
  readonly upcast: (data: Record<string, unknown>) => Record<string, unknown>;
}

/** One event type: its current version, the schema of its data at that version, and the way up from older ones. */
export interface EventTypeDefinition {
  readonly family: EventFamily;
  readonly type: string;
  readonly description: string;
  readonly version: number;
  readonly data: z.ZodType<Record<string, unknown>>;
  readonly upcasters: readonly Upcaster[];
}

/** A type definition whose chain has a gap, a step too many, or that is defined twice. Thrown at start, never later. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';
}

/** The versions of every known event type. Types that it does not know are free: version 1, any object. */
export class EventCatalogue {
  private readonly definitions = new Map<string, EventTypeDefinition>();

  /** @throws CatalogueError when a chain does not lead step by step from version 1 to the current one. */
  constructor(definitions: readonly EventTypeDefinition[]) {
    for (const definition of definitions) {
      const key = `${definition.family}/${definition.type}`;
      if (this.definitions.has(key)) throw new CatalogueError(`${key} is defined twice`);
      assertChain(key, definition);
      this.definitions.set(key, definition);
    }
  }

  all(): readonly EventTypeDefinition[] {
    return [...this.definitions.values()];
  }

  find(family: EventFamily, type: string): EventTypeDefinition | undefined {
    return this.definitions.get(`${family}/${type}`);
  }

  /** The version that a new event of this type is written with. */
  currentVersion(family: EventFamily, type: string): number {
    return this.find(family, type)?.version ?? 1;
  }

  /** The schema that the data of a new event has to satisfy. */
  dataSchema(family: EventFamily, type: string): z.ZodType<Record<string, unknown>> {
    return this.find(family, type)?.data ?? eventDataSchema;
  }

  /**
   * The event at its type's current version; the very same object when it already is.
   * @throws CatalogueError when the event is newer than this catalogue knows.
   */
  upcast<T extends EventEnvelope>(event: T): T {
    const version = this.currentVersion(event.family, event.type);
    if (event.schemaVersion === version) return event;
    if (event.schemaVersion > version) {
      throw new CatalogueError(
        `${event.family}/${event.type} has version ${event.schemaVersion}, newer than the known ${version}`,
      );
    }
    const steps = this.find(event.family, event.type)?.upcasters.slice(event.schemaVersion - 1) ?? [];
    const data = steps.reduce((current, step) => step.upcast(current), event.data);
    return { ...event, data, schemaVersion: version };
  }
}

/** A chain is whole when its steps are exactly 1, 2, … version - 1: then it has no gap, no cycle and one way up. */
function assertChain(key: string, { version, upcasters }: EventTypeDefinition): void {
  if (!Number.isInteger(version) || version < 1) throw new CatalogueError(`${key} has no whole version`);
  upcasters.forEach((step, index) => {
    if (step.from !== index + 1) {
      throw new CatalogueError(`${key}: expected the upcaster from version ${index + 1}, found one from ${step.from}`);
    }
  });
  if (upcasters.length !== version - 1) {
    throw new CatalogueError(`${key} is at version ${version} but has upcasters up to ${upcasters.length + 1}`);
  }
}
