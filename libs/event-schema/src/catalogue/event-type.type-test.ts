import { z } from 'zod';
import { defineEventType, type EventTypeHistory } from './event-type';

/** Whether both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Proven<Claim extends true> = Claim;

interface Ok {
  [field: string]: unknown;
  ok: boolean;
}
interface Outcome {
  [field: string]: unknown;
  outcome: string;
}

const NAME = { family: 'sandbox', type: 'build.finished', description: 'A build ended.' } as const;
const okSchema = z.object({ ok: z.boolean() });
const outcomeSchema = z.object({ outcome: z.string() });
const attemptsSchema = z.object({ attempts: z.number() });

const first = defineEventType(NAME, okSchema);
const second = first.next(outcomeSchema, ({ ok }) => ({ outcome: ok ? 'passed' : 'failed' }));

/** A history has the type of its newest data, and a step gets the data before it. */
export type Claims = [
  Proven<Same<typeof first, EventTypeHistory<{ ok: boolean }>>>,
  Proven<Same<typeof second, EventTypeHistory<{ outcome: string }>>>,
  Proven<Same<Parameters<Parameters<typeof second.next>[1]>[0], { outcome: string }>>,
];

const fromOk = ({ ok }: Ok) => ({ outcome: String(ok) });
const fromOutcome = ({ outcome }: Outcome) => ({ outcome });

first.next(outcomeSchema, (data) => fromOk(data));
second.next(attemptsSchema, (data) => ({ attempts: fromOutcome(data).outcome.length }));

// @ts-expect-error: the version before has no `outcome` yet.
first.next(outcomeSchema, (data) => fromOutcome(data));

// @ts-expect-error: a step gives what the new schema says.
first.next(attemptsSchema, () => ({ attempts: 'one' }));

// @ts-expect-error: data is an object.
defineEventType(NAME, z.string());

// @ts-expect-error: the family is one that Sluice keeps.
defineEventType({ ...NAME, family: 'unknown' }, okSchema);
