import { toSluiceError } from '@sluice/event-log';
import { workspaceEventDataSchema } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Clock } from '../clock';
import { lookAtDue } from '../due-documents';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { WorkspaceSignals } from '../signals';
import { failureOf, runFacts, type Run } from './run';

/** How long after its deadline a run is left to the process that runs it, which ends it at the deadline itself. */
const REAPER_GRACE_MS = 5_000;

/**
 * Ends runs whose process died: past their deadline they have failed. Any number of processes may say so; the log keeps
 * one outcome.
 */
export class RunReaper {
  constructor(
    private readonly documents: WorkspaceDocuments,
    private readonly journal: WorkspaceJournal,
    private readonly clock: Clock,
    private readonly signals: WorkspaceSignals,
  ) {}

  /** One look at all workspaces; resolves when the outcomes can be read, with whether there is more to do at once. */
  poll(signal?: AbortSignal): Promise<boolean> {
    return lookAtDue(
      this.documents,
      'run',
      () => this.clock.now() - REAPER_GRACE_MS,
      async (page) => {
        const reaped = await Promise.all(page.map((document) => this.reap(document)));
        return reaped.includes(true) && !signal?.aborted;
      },
    );
  }

  /** Whether the run's end is on record and can be read. */
  private async reap(document: WorkspaceDocument): Promise<boolean> {
    try {
      const run = runOf(document);
      const failure = failureOf(run, 'The process that ran it is gone, or it took too long', this.clock.now());
      const { recorded } = await this.journal.append({ workspaceId: run.workspaceId }, [failure]);
      this.signals.reaped(runFacts(run));
      return recorded.size > 0;
    } catch (error) {
      this.signals.fault('reaper', toSluiceError(error));
      return false;
    }
  }
}

/** The run of a document. @throws ZodError for a document of another shape. */
export function runOf({ workspaceId, fields }: WorkspaceDocument): Run {
  const { kind, ...data } = fields;
  switch (kind) {
    case 'agent': {
      const { agent_id, session_id, deadline_at } = workspaceEventDataSchema('agent_spawned').parse(data);
      return { kind, workspaceId, agentId: agent_id, sessionId: session_id, deadlineAt: deadline_at };
    }
    case 'group_chat': {
      const turn = workspaceEventDataSchema('group_chat_agent_thinking').parse(data);
      return {
        kind,
        workspaceId,
        groupChatId: turn.group_chat_id,
        sessionId: turn.session_id,
        messageId: turn.message_id,
        agentId: turn.agent_id,
        agentName: turn.agent_name,
        deadlineAt: turn.deadline_at,
      };
    }
    case 'cron': {
      const run = workspaceEventDataSchema('cron_job_triggered').parse(data);
      return {
        kind,
        workspaceId,
        jobId: run.job_id,
        jobName: run.job_name,
        runId: run.run_id,
        triggeredAt: run.triggered_at,
        deadlineAt: run.deadline_at,
      };
    }
    default:
      throw new Error('The document holds no run');
  }
}
