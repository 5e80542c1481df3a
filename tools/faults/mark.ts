/** The n-th event of an entity, from 0 on: what a writer writes into it, and what a reader finds in it. */
export interface Mark {
  readonly entity: string;
  readonly n: number;
}

const PATTERN = /mark:([a-z0-9-]+):(\d+);/;

/** Events that repeat what they answer: the mark in them is not their own. */
const ECHO = /"type":"(?:session\.)?agent[._]/;

export function markText({ entity, n }: Mark): string {
  return `mark:${entity}:${n};`;
}

/** The mark in an event as any door writes it; undefined for events that are not a writer's. */
export function markIn(json: string): Mark | undefined {
  const [, entity, n] = PATTERN.exec(json) ?? [];
  if (entity === undefined || ECHO.test(json)) return undefined;
  return { entity, n: Number(n) };
}
