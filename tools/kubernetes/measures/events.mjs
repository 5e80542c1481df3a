/** Sandboxes that events are about. */
export const ENTITIES = 1_000;
export const BATCH_EVENTS = 100;
const BATCHES = 32;

export const TYPE = 'custom.measured';
export const TEXT = 'x'.repeat(200);

export const entity = (n) => `measured-${n % ENTITIES}`;

const eventOf = (n) => ({ type: TYPE, sandboxId: entity(n), data: { text: TEXT } });

/** Bodies of one event each, one of every sandbox. */
export const singles = Array.from({ length: ENTITIES }, (_, n) => JSON.stringify(eventOf(n)));

/** Bodies of 100 events of as many sandboxes. */
export const mixedBatches = Array.from({ length: BATCHES }, (_, body) =>
  JSON.stringify({ events: Array.from({ length: BATCH_EVENTS }, (_, n) => eventOf(body * BATCH_EVENTS + n)) }),
);
