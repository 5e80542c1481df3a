import { decideReport, referencedEventIds, type EngineReport, type SessionEventBody } from '@sluice/agent-sessions';
import type { SessionJournal } from './session-journal';

/** A report of an engine, and which run it is of. */
export interface ReportCall {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly report: EngineReport;
  /** The same delivery of the same run again has the effect of one, whatever is in it, also after the run. */
  readonly deliveryId?: string | undefined;
}

/** In the place of a hash: a delivery is known by its id alone. */
const DELIVERY = 'delivery';

/** What engines say of their runs, whichever way they say it. */
export class EngineReports {
  constructor(private readonly journal: SessionJournal) {}

  /**
   * Stores a report, all or nothing; when this resolves it is listed.
   * @throws SluiceError `conflict` when the run is not the active one any more: the engine has to stop; `not_found`,
   *   `invalid_request`, `payload_too_large`, and as `SessionJournal.execute`
   */
  async take({ workspaceId, sessionId, report, deliveryId }: ReportCall): Promise<readonly SessionEventBody[]> {
    const { events } = await this.journal.execute({
      workspaceId,
      sessionId,
      referenced: referencedEventIds(report.events),
      ...(deliveryId !== undefined && {
        receipt: { key: `callback/${report.runId}/${deliveryId}`, requestHash: DELIVERY },
      }),
      decide: (state, context) => decideReport(state, report, context),
    });
    return events;
  }
}
