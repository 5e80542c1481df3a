/** Where something is among its like: by creation, and then by id. */
export interface Place {
  readonly createdAtMs: number;
  readonly id: string;
}

export type ListOrder = 'ascending' | 'descending';

/** Negative when the first one comes first. */
export function comparePlaces(order: ListOrder, a: Place, b: Place): number {
  const ascending = a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return order === 'ascending' ? ascending : -ascending;
}

export function isBeyond(order: ListOrder, place: Place, after: Place): boolean {
  return comparePlaces(order, place, after) > 0;
}
