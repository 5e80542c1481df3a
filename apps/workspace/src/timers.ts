/** Longest delay that a timer can have. */
export const MAX_TIMER_MS = 2_147_483_647;
