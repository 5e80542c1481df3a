/** Unauthorized, Payment Required (agents that are paid per request), Forbidden. */
const PROTECTED_STATUSES: ReadonlySet<number> = new Set([401, 402, 403]);

/** Whether somebody is there who wants credentials or a payment first. */
export function isProtected(status: number): boolean {
  return PROTECTED_STATUSES.has(status);
}
