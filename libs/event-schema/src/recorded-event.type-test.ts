import type { z } from 'zod';
import type { EventEnvelope } from './envelope';
import type { EventFamily } from './family';
import type { Epoch, Position, RecordedEvent, recordedEventSchema } from './recorded-event';
import type { SandboxEventType } from './sandbox/event-types';

/** Whether every A is a B. */
type Extends<A, B> = [A] extends [B] ? true : false;
type Proven<Claim extends true> = Claim;
type Refuted<Claim extends false> = Claim;

/** A position is a number, but not every number is a position; the same holds for epochs, and the two do not mix. */
export type Brands = [
  Proven<Extends<Position, number>>,
  Refuted<Extends<number, Position>>,
  Proven<Extends<Epoch, string>>,
  Refuted<Extends<string, Epoch>>,
  Refuted<Extends<Epoch, Position>>,
];

/** What the schema of a recorded event gives is one, and that is an envelope; an envelope is not recorded yet. */
export type Events = [
  Proven<Extends<z.output<typeof recordedEventSchema>, RecordedEvent>>,
  Proven<Extends<RecordedEvent, EventEnvelope>>,
  Refuted<Extends<EventEnvelope, RecordedEvent>>,
];

/** The documented types and the families are closed. */
export type Vocabulary = [
  Proven<Extends<'execution.completed', SandboxEventType>>,
  Refuted<Extends<'custom.event', SandboxEventType>>,
  Refuted<Extends<string, EventFamily>>,
];
