import type { z } from 'zod';
import { eventDataSchema, eventTypeSchema, type EventEnvelope } from '../envelope';
import type { EventFamily } from '../family';
import type { EventData, EventTypeDefinition } from './event-type';

/** A chain of versions that is not whole, a type that is defined twice, or an event that has no way up. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';
}

/** The versions of every known event type. Types that it does not know are free: version 1, any object. */
export class EventCatalogue {
  private readonly definitions = new Map<string, EventTypeDefinition>();

  /** @throws CatalogueError when a chain does not lead step by step from version 1 to the current one. */
  constructor(definitions: readonly EventTypeDefinition[]) {
    for (const definition of definitions) {
      const key = keyOf(definition.family, definition.type);
      if (!eventTypeSchema.safeParse(definition.type).success) throw new CatalogueError(`${key} is no event type`);
      if (this.definitions.has(key)) throw new CatalogueError(`${key} is defined twice`);
      assertChain(key, definition);
      this.definitions.set(key, definition);
    }
  }

  all(): readonly EventTypeDefinition[] {
    return [...this.definitions.values()];
  }

  find(family: EventFamily, type: string): EventTypeDefinition | undefined {
    return this.definitions.get(keyOf(family, type));
  }

  /** The version that a new event of this type is written with. */
  currentVersion(family: EventFamily, type: string): number {
    return this.find(family, type)?.version ?? 1;
  }

  /** The schema that the data of a new event has to satisfy. */
  dataSchema(family: EventFamily, type: string): z.ZodType<EventData> {
    return this.find(family, type)?.data ?? eventDataSchema;
  }

  /**
   * The event at its type's current version; the very same object when it already is.
   * @throws CatalogueError when the event is newer than this catalogue knows, or its data does not fit its own version.
   */
  upcast<T extends EventEnvelope>(event: T): T {
    const { family, type, schemaVersion } = event;
    const version = this.currentVersion(family, type);
    if (schemaVersion === version) return event;
    const key = keyOf(family, type);
    if (!Number.isInteger(schemaVersion) || schemaVersion < 1) {
      throw new CatalogueError(`${key} has no version ${schemaVersion}`);
    }
    if (schemaVersion > version) {
      throw new CatalogueError(`${key} has version ${schemaVersion}, newer than the known ${version}`);
    }
    const steps = this.find(family, type)?.upcasters.slice(schemaVersion - 1) ?? [];
    let { data } = event;
    for (const step of steps) {
      // An upcaster may rely on the types that it was written for.
      if (!step.data.safeParse(data).success) {
        throw new CatalogueError(`data of ${key} is not what version ${step.from} has`);
      }
      data = step.upcast(data);
    }
    return { ...event, data, schemaVersion: version };
  }
}

const keyOf = (family: EventFamily, type: string) => `${family}/${type}`;

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
