import { Prisma } from '../generated/client';

/** The read model that is read and recorded into. */
export const LIVE_SCHEMA = 'read_model';
/** The read model that is being built beside it. */
export const NEXT_SCHEMA = 'read_model_next';
/** The former read model, after a switch. */
export const OLD_SCHEMA = 'read_model_old';

/** A schema's name, to stand in a statement in front of the name of a table or function. */
export type ModelSchema = Prisma.Sql;

export const LIVE: ModelSchema = Prisma.raw(LIVE_SCHEMA);
export const NEXT: ModelSchema = Prisma.raw(NEXT_SCHEMA);

/** The text of a definition, with everything in one schema taken for the same in another one. */
export function inOtherSchema(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<![\\w$])("?)${from}\\1(?=\\.)`, 'g'), to);
}
