/** A value as a store gives it back: JSON, without members that are undefined. */
export function detached<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
