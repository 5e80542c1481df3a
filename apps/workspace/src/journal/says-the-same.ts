/** What depends on when a command was handled, not on what it asked for. */
const TIMES: ReadonlySet<string> = new Set([
  'deadline_at',
  'triggered_at',
  'due_at',
  'next_run_at',
  'created_at',
  'updated_at',
  'old_status',
]);

/** Whether two pieces of event data ask for the same change, whenever they did. */
export function saysTheSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, comparable) === JSON.stringify(other, comparable);
}

/** Members in one order, times left out. */
function comparable(key: string, value: unknown): unknown {
  if (TIMES.has(key)) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
