import { z } from 'zod';
import { HEARTBEAT_SECONDS } from './registry-values';

const text = (description: string) => z.string().optional().meta({ description });
const flag = (events: string) => text(`\`true\` or anything else: ${events}.`);

/** The query as it is described; nothing of it is checked unless it is strict, see `readRegistryQuery`. */
export const registryQuerySchema = z.object({
  agentIds: text('Agent ids (`<chainId>:<tokenId>`), separated by commas.'),
  chainIds: text('Chain ids, separated by commas.'),
  eventTypes: text('Types of events, separated by commas.'),
  reputation: flag('reputation changes and feedback'),
  reachability: flag('reachability updates'),
  attestations: flag('attestations'),
  registrations: flag('registrations, updates and transfers of agents'),
  classifications: flag('classifications'),
  validations: flag('requests for validation and responses to them'),
  heartbeat: text(
    `Seconds between heartbeats, from ${HEARTBEAT_SECONDS.min} to ${HEARTBEAT_SECONDS.max}; ${HEARTBEAT_SECONDS.default} when absent.`,
  ),
  lastEventId: text('A cursor, for clients that cannot send the header.'),
  strict: text('`true`: a faulty or unknown parameter is an error that names it.'),
  token: text('A stream token.'),
});

export const registryInfoSchema = z.object({
  success: z.literal(true),
  data: z.object({
    description: z.string(),
    endpoint: z.string(),
    eventTypes: z.array(z.object({ type: z.string(), description: z.string() })),
    filters: z.record(z.string(), z.string()),
    example: z.object({ url: z.string(), description: z.string() }),
    notes: z.array(z.string()),
  }),
});
