import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { ClusterSystem, EmbeddedSystem } from '../e2e/system';
import { withNats } from '../tools/faults/delivery-log';
import type { Evidence } from '../tools/faults/effect';
import type { FaultClass } from '../tools/faults/fault-class';
import { readMetric } from '../tools/faults/metrics';
import { databaseUrlOf, NAMES, queryAt, writeToLog } from '../tools/faults/raw-log';

/** Recorded events that are written into the durable log once more. */
const REPEATED_EVENTS = 200;
/** Messages of the delivery log that are published once more, the newest first. */
const REPEATED_MESSAGES = 100;
/** Makes the server take for new what it knows. */
const MESSAGE_ID = 'Nats-Msg-Id';

/** A producer that repeats everything, late and in another order: the projector takes none of it for new. */
async function repeatInLog(system: ClusterSystem | EmbeddedSystem): Promise<Evidence> {
  const countKnown = () => readMetric(system, 'projector', 'sluice_projector_duplicate_events_total');
  const before = await countKnown();
  const rows = await queryAt<{ envelope: string; key: string }>(
    await databaseUrlOf(system),
    `SELECT envelope, family || '/' || entity_id AS key FROM read_model.recorded_events ORDER BY random() LIMIT $1`,
    [REPEATED_EVENTS],
  );
  await writeToLog(
    system,
    rows.map(({ envelope, key }) => ({ key, value: Buffer.from(envelope) })),
  );
  return async () => [{ what: 'records known already', count: (await countKnown()) - before, atLeast: rows.length }];
}

/** A delivery log that delivers again and out of order: old runs between new ones, each twice, the newest first. */
async function repeatInDeliveryLog(system: ClusterSystem): Promise<Evidence> {
  return withNats(system, async (nats) => {
    const manager = await jetstreamManager(nats);
    const client = jetstream(nats);
    const { first_seq: first, last_seq: last } = (await manager.streams.info(NAMES.stream)).state;
    let repeated = 0;
    for (let seq = last; seq >= first && seq > last - REPEATED_MESSAGES; seq--) {
      const message = await manager.streams.getMessage(NAMES.stream, { seq });
      if (message === null) continue;
      const kept = headers();
      for (const [name, values] of message.header ?? []) {
        for (const value of values) if (name !== MESSAGE_ID) kept.append(name, value);
      }
      for (let copy = 0; copy < 2; copy++) {
        const { duplicate } = await client.publish(message.subject, message.data, { headers: kept });
        if (!duplicate) repeated++;
      }
    }
    return [{ what: 'messages stored again', count: repeated }];
  });
}

/** What was delivered comes again and in another order, from either log, and nobody sees it twice (G2). */
export const repeatedDeliveries: FaultClass = {
  name: 'repeated-deliveries',
  what: 'records and messages that were delivered before are written into both logs again, out of order',
  cluster: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`log ${round}`, () => repeatInLog(system));
        await trial.round(`delivery log ${round}`, () => repeatInDeliveryLog(system));
      }
    },
  },
  embedded: {
    rounds: 5,
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) await trial.round(`log ${round}`, () => repeatInLog(system));
    },
  },
};
