import { randomUUID } from 'node:crypto';
import { until } from '@sluice/event-log/conformance';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { writeToLog, type RawRecord } from '../tools/faults/raw-log';
import type { System } from '../e2e/system';

const PARKED_TIMEOUT_MS = 30_000;
const TOO_LARGE_BYTES = 300_000;
/** Records of each kind in one round. */
const COPIES = 5;

/** What can never become an event, under the keys of entities that are written to meanwhile. */
function poison(sandboxId: string): readonly RawRecord[] {
  const envelope = {
    id: randomUUID(),
    family: 'sandbox',
    entityId: sandboxId,
    workspaceId: 1,
    type: 'custom.event',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: {},
  };
  const texts = [
    'not json',
    '',
    '{"half":',
    'null',
    '[]',
    JSON.stringify({ ...envelope, id: 'no id' }),
    JSON.stringify({ ...envelope, family: 'nobody' }),
    JSON.stringify({ ...envelope, workspaceId: -1 }),
    JSON.stringify({ ...envelope, schemaVersion: 99 }),
    JSON.stringify({ ...envelope, foreign: true }),
    JSON.stringify({ ...envelope, type: 'agent_registered', family: 'registry', data: { agentId: 7 } }),
    JSON.stringify({ ...envelope, data: { text: 'x'.repeat(TOO_LARGE_BYTES) } }),
  ];
  const values = [...texts.map((text) => Buffer.from(text)), Buffer.from([0xff, 0xfe, 0x00]), null];
  return values.map((value) => ({ key: `sandbox/${sandboxId}`, value }));
}

async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const copies = Array.from({ length: COPIES }, () => poison(trial.entities.oneSandbox));
    const count = copies.flat().length;
    const before = await countParked(system);
    const countNew = async () => (await countParked(system)) - before;
    await trial.round(`poison ${round}`, async () => {
      // A few at a time: brokers take no batch of any size.
      for (const copy of copies) await writeToLog(system, copy);
      return async () => {
        await until(async () => (await countNew()) >= count, 'all is parked', PARKED_TIMEOUT_MS).catch(() => undefined);
        return [{ what: 'records parked', count: await countNew(), atLeast: count }];
      };
    });
    if ((await countNew()) > count) trial.report(`parked ${await countNew()} of ${count}`);
  }
}

async function countParked(system: System): Promise<number> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/stats`, { headers: { 'x-api-key': adminKey } });
  if (!response.ok) throw new Error(`/v1/stats: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { readonly parkedRecords: number }).parkedRecords;
}

/** What is no event, written straight into the log among those that are: parked and counted, and nobody waits (G7). */
export const poisonRecords: FaultClass = {
  name: 'poison',
  what: '70 records of 14 kinds that are no events, written straight into the durable log',
  cluster: { rounds: 5, run },
  embedded: { rounds: 5, run },
};
