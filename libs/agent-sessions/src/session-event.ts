/** An event of a session in the form of the SDK. `processed_at` is RFC 3339 with milliseconds; null while it is queued. */
export type SessionEventBody = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  readonly processed_at: string | null;
};
