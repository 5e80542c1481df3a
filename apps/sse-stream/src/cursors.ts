import type { ResetReason } from '@sluice/event-log';

/** Longer than any cursor. */
export const MAX_CURSOR_LENGTH = 64;

const REASONS = {
  epoch_changed: true,
  future_cursor: true,
  no_longer_kept: true,
} as const satisfies Record<ResetReason, true>;

/** Why a cursor could not be honoured, at every door. */
export const RESET_REASONS = Object.keys(REASONS) as [ResetReason, ...ResetReason[]];
