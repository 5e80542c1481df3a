import type { SessionDeltas, SessionScope, SessionStore } from '@sluice/agent-sessions';
import type { SessionDelta } from '@sluice/event-schema';

/** So many of the last deliveries with deltas this process remembers: engines repeat one within seconds. */
const MAX_REMEMBERED_DELIVERIES = 10_000;

export interface RunDeltasCall extends SessionScope {
  readonly runId: string;
  readonly deltas: readonly SessionDelta[];
  /** The same again has, at this process, the effect of one. */
  readonly deliveryId: string;
}

/** What engines show of events of their runs before they report them. Nothing is stored, and nothing of the run changes. */
export class RunDeltas {
  private readonly delivered = new Set<string>();

  constructor(
    private readonly store: Pick<SessionStore, 'load'>,
    private readonly deltas: Pick<SessionDeltas, 'publish'>,
  ) {}

  /** False when the run is not the active one any more: nothing is shown. @throws SluiceError `read_model_unavailable` */
  async take({ workspaceId, sessionId, runId, deltas, deliveryId }: RunDeltasCall): Promise<boolean> {
    const key = JSON.stringify([workspaceId, sessionId, runId, deliveryId]);
    const stored = await this.store.load(workspaceId, sessionId);
    // Also of a run that is over meanwhile: it was taken.
    if (this.delivered.has(key)) return true;
    if (stored?.state.run?.id !== runId) return false;
    this.remember(key);
    this.deltas.publish({ workspaceId, sessionId }, deltas);
    return true;
  }

  private remember(key: string): void {
    this.delivered.add(key);
    const [oldest] = this.delivered;
    if (this.delivered.size > MAX_REMEMBERED_DELIVERIES && oldest !== undefined) this.delivered.delete(oldest);
  }
}
