import { z } from 'zod';

/** `waiting`: nothing was read yet. `backfill`: what is far behind the head. `live`: at the head. */
export const CHAIN_PHASES = ['waiting', 'backfill', 'live'] as const;
export type ChainPhase = (typeof CHAIN_PHASES)[number];

/**
 * What the watcher of a chain says about itself. It is stored as it is and read back by whoever shows it, also by another
 * version of this app: what does not fit is shown as unknown.
 */
export const chainReportSchema = z.object({
  name: z.string(),
  delivery: z.enum(['immediate', 'confirmed']),
  confirmations: z.int(),
  phase: z.enum(CHAIN_PHASES),
  startBlock: z.int(),
  block: z.int().nullable().meta({ description: 'The block that was worked off last, at the time of the report.' }),
  head: z.int().nullable().meta({ description: 'The newest block of the chain.' }),
  lagBlocks: z.int().nullable().meta({ description: 'Blocks that could be worked off and are not yet.' }),
  progress: z.number().nullable().meta({ description: 'From 0 to 1, between the start block and the head.' }),
  blocksPerSecond: z.number(),
  eventsPerSecond: z.number(),
  secondsLeft: z.number().nullable().meta({ description: 'Of the backfill, at the present speed.' }),
  events: z.int().meta({ description: 'Events since this process took the chain.' }),
  outboxEvents: z.int().meta({ description: 'Events that are on their way to the durable log.' }),
  fault: z
    .object({ code: z.string(), message: z.string(), since: z.int() })
    .nullable()
    .meta({ description: 'What keeps the chain from going on; it is tried again.' }),
});

export type ChainReport = z.infer<typeof chainReportSchema>;
