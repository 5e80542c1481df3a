import { jetstream } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { type SteadyConnection, toUnavailable } from '@sluice/nats-connection';
import { API_TIMEOUT_MS, type JetStreamDeliveryLogOptions } from './options';
import type { StreamKeeper } from './stream';

/** Header of the message that tells followers to forget. */
export const FORGET_HEADER = 'Sluice-Forget';

/**
 * Stores a mark in the stream, then purges all that is before it: whoever follows is given the mark after all that it may
 * still be given of before, also when it comes back later.
 *
 * @throws SluiceError `delivery_log_unavailable`; the mark may be stored then
 */
export async function forgetStream(
  connection: SteadyConnection,
  keeper: StreamKeeper,
  { stream, subject }: JetStreamDeliveryLogOptions,
): Promise<void> {
  try {
    await keeper.ensure();
    const mark = headers();
    mark.set(FORGET_HEADER, 'all before');
    const { seq } = await jetstream(connection.use(), { timeout: API_TIMEOUT_MS }).publish(subject, new Uint8Array(), {
      headers: mark,
      expect: { streamName: stream },
    });
    const { streams } = await keeper.manager();
    await streams.purge(stream, { seq });
  } catch (error) {
    throw toUnavailable(error, `Stream ${stream} could not be purged`);
  }
}
