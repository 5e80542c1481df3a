/** Every bound of the delivery layer. Bytes are bytes of an event's JSON text in UTF-8. */
export const DELIVERY_LIMITS = {
  /** Newest events kept in memory, so that subscriptions with recent cursors do not reach the database. */
  ringEvents: 16_384,
  ringBytes: 32 * 1024 * 1024,
  /**
   * Most events of the ring that are looked at in one turn of the event loop, by all subscriptions that catch up; most of
   * them may match nothing. Callers who want more than that together have equal shares, none below the least one.
   */
  ringTurnEvents: 2_048,
  leastRingTurnEvents: 256,
  /** How many of the newest events are put into the ring at the start: subscribers come back right after it. */
  warmUpEvents: 2_000,

  /** Events that wait behind a gap or for their turn. Above this the newest are dropped, and read again later. */
  pendingEvents: 4_096,
  pendingBytes: 8 * 1024 * 1024,
  /** Most that is published before subscribers get their turn: a burst alone must not overflow an attentive one. */
  sliceEvents: 256,
  sliceBytes: 256 * 1024,

  /** Page of a gap fill: at most so many events and bytes, but always one event. */
  gapPageEvents: 500,
  gapPageBytes: 1024 * 1024,
  /** How often the head of the read model is compared with the feed's. */
  tailCheckMs: 1_000,
  /** How long the delivery log may bring nothing of what the read model has already. */
  tailGraceMs: 100,
  /** How long it is waited for while it brings some of that again and again. */
  tailPatienceMs: 5_000,

  /** Page of a backfill: at most so many events and bytes, but always one event. */
  pageEvents: 500,
  pageBytes: 1024 * 1024,
  /** Most positions that one read looks at where its filter is not one of an index; it goes on from there. */
  scanPositions: 100_000,
  /**
   * Bytes of all pages that wait for their subscribers. As they come near, pages become smaller, down to
   * `leastPageBytes`: nobody waits for the page of a subscriber that takes nothing.
   */
  waitingPageBytes: 64 * 1024 * 1024,
  /** Bytes of the pages of one caller that wait. As they come near, only the pages of this caller become smaller. */
  callerWaitingPageBytes: 16 * 1024 * 1024,
  leastPageBytes: 16 * 1024,
  /** Backfill reads at the same time in one process; of the others, each caller in turn has the next one. */
  concurrentPageReads: 8,
  /** Of these, most for one caller. */
  callerPageReads: 4,
  /** Attempts at one page before the subscription ends as failed. */
  pageAttempts: 5,

  /** How long a subscription at `earliest` waits for what retention has removed to be read. */
  earliestReadMs: 1_000,

  subscriptions: 20_000,
  /** Most (workspace, entity) pairs and prefixes of entities that one filter may name. */
  filterTerms: 4_096,
  /** Most events, and bytes unless it is one event, in one `events` item. */
  batchEvents: 256,
  batchBytes: 256 * 1024,
  /** Queue of one live subscription; above this it ends as slow. */
  queuedEvents: 1_024,
  queuedBytes: 1024 * 1024,
  /** A subscriber that takes nothing for so long while something waits for it ends as slow. */
  stallTimeoutMs: 30_000,
  stallCheckMs: 1_000,

  /** Event ids that may be expected at the same time; above this `expect` answers `overloaded`. */
  expectedIds: 20_000,
  /** An expected event that the feed has not shown for so long is looked up in the read model, and again at this pace. */
  lookUpDelayMs: 50,
  /** Most ids in one look-up. */
  lookUpIds: 1_000,

  /** Waits between attempts: doubled each time, up to the maximum. */
  firstRetryDelayMs: 50,
  maximumRetryDelayMs: 5_000,
} as const;

export type DeliveryLimits = { readonly [name in keyof typeof DELIVERY_LIMITS]: number };
