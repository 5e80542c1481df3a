export const HEARTBEAT_SECONDS = { min: 5, max: 60, default: 30 } as const;

/** What could be the id of an agent. */
export const AGENT_ID = /^\d{1,20}:\d{1,78}$/;

/** Items of a list, empty ones too. */
export function items(value: string): string[] {
  return value.split(',').map((item) => item.trim());
}

/** What begins with a number, in seconds within bounds; anything else means the usual. */
export function clampedHeartbeat(value: string | undefined, min: number = HEARTBEAT_SECONDS.min): number {
  const { max, default: usual } = HEARTBEAT_SECONDS;
  const seconds = Number.parseInt(value ?? '', 10);
  return Number.isNaN(seconds) ? usual : Math.min(max, Math.max(min, seconds));
}
