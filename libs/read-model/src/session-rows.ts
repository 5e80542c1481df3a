import type { ClaimedDispatch, Receipt, RunDispatch, SessionState } from '@sluice/agent-sessions';

export interface StateRow {
  readonly agent: string;
  readonly state: string;
}

export interface ListedStateRow extends StateRow {
  /** There are sessions after it. */
  readonly has_more: boolean;
}

export interface ReceiptRow {
  readonly key: string;
  readonly request_hash: string;
  readonly answer: string;
}

export interface DispatchRow {
  readonly dispatch_id: bigint;
  readonly workspace_id: number;
  readonly session_id: string;
  readonly dispatch: string;
  readonly holder: string;
  readonly attempt: number;
  readonly failures: number;
  readonly failing_for_ms: number;
  readonly created_at: Date;
}

export function fromStateRow({ agent, state }: StateRow): SessionState {
  return { ...(JSON.parse(state) as Omit<SessionState, 'agent'>), agent: JSON.parse(agent) as SessionState['agent'] };
}

export function fromReceiptRow({ key, request_hash, answer }: ReceiptRow): Receipt {
  return { key, requestHash: request_hash, answer };
}

export function fromDispatchRow(row: DispatchRow): ClaimedDispatch {
  return {
    dispatchId: Number(row.dispatch_id),
    holder: row.holder,
    workspaceId: row.workspace_id,
    sessionId: row.session_id,
    dispatch: JSON.parse(row.dispatch) as RunDispatch,
    attempt: row.attempt,
    failures: row.failures,
    failingForMs: row.failing_for_ms,
    createdAtMs: row.created_at.getTime(),
  };
}

/** The driver refuses U+0000, and no name has it. */
export function canBeStored(...names: readonly (string | undefined)[]): boolean {
  return names.every((name) => name === undefined || !name.includes('\0'));
}

/** Whether it can be a line of a list, and stored. */
export function isLine(name: string): boolean {
  return /^[^\n\0]+$/.test(name);
}
