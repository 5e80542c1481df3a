import { z } from 'zod';

/** The outside systems whose events Sluice keeps. A family names the vocabulary of an event's `type`. */
export const EVENT_FAMILIES = ['sandbox', 'registry', 'session', 'workspace'] as const;

export const eventFamilySchema = z.enum(EVENT_FAMILIES).meta({ description: 'The vocabulary that `type` belongs to.' });

export type EventFamily = z.infer<typeof eventFamilySchema>;
