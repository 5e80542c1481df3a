import { EVENT_FAMILIES } from '@sluice/event-schema';
import { InvalidArgumentError } from 'commander';

/** What options and arguments are read by. Each throws InvalidArgumentError for a text that it is not for. */

export function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

export function list(value: string, previous: readonly string[] = []): readonly string[] {
  const items = value.split(',');
  if (items.includes('')) throw new InvalidArgumentError('Give one or more, separated by commas.');
  return [...previous, ...items];
}

/** An item may have commas of its own. */
export function repeated(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

export function families(value: string, previous?: readonly string[]): readonly string[] {
  const all = list(value, previous);
  if (all.every((item) => EVENT_FAMILIES.some((family) => family === item))) return all;
  throw new InvalidArgumentError(`Allowed are ${EVENT_FAMILIES.join(', ')}.`);
}
