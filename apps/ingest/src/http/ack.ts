import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import type { Ack } from '../store-events';

/** Most characters of a foreign parameter's name that are repeated to the caller. */
const MAX_SHOWN_NAME_LENGTH = 64;

export const ackQuerySchema = z.strictObject({
  ack: z.enum(['log', 'projected']).default('projected').meta({
    description: 'What the answer waits for: the durable log alone, or also that the event can be read.',
  }),
});

/**
 * What the caller wants to wait for. A misspelt `ack` must not turn into another promise than the one that was asked for.
 * @throws SluiceError `invalid_request`
 */
export function readAck(query: unknown): Ack {
  const parsed = ackQuerySchema.safeParse(query);
  if (parsed.success) return parsed.data.ack;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const where = `query.${issue.keys[0]?.slice(0, MAX_SHOWN_NAME_LENGTH)}`;
    throw new SluiceError('invalid_request', 'The only parameter is "ack"', { where });
  }
  throw new SluiceError('invalid_request', 'ack must be "log" or "projected"', { where: 'query.ack' });
}
