/** What a command left behind. */
export interface Changed<T> {
  readonly value: T;
  /** It is safe, and cannot be read yet. */
  readonly isPending: boolean;
}
