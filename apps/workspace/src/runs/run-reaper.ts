import { toSluiceError } from '@sluice/event-log';
import { workspaceEventDataSchema } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Clock } from '../clock';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { WorkspaceSignals } from '../signals';
import { failureOf, runFacts, type Run } from './run';

export const REAPER_LIMITS = {
  /** Most runs of one look. */
  runsPerPoll: 200,
  /** How long after its deadline a run is left to the process that runs it, which ends it at the deadline itself. */
  graceMs: 5_000,
} as const;

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

  /** One look at all workspaces; resolves when the outcomes can be read. */
  async poll(): Promise<void> {
    const { runsPerPoll, graceMs } = REAPER_LIMITS;
    const dueBefore = this.clock.now() - graceMs;
    const due = await this.documents.due({ kind: 'run', dueBefore, limit: runsPerPoll });
    await Promise.all(due.map((document) => this.reap(document)));
  }

  private async reap(document: WorkspaceDocument): Promise<void> {
    try {
      const run = runOf(document);
      const failure = failureOf(run, 'The process that ran it is gone, or it took too long', this.clock.now());
      await this.journal.append({ workspaceId: run.workspaceId }, [failure]);
      this.signals.reaped(runFacts(run));
    } catch (error) {
      this.signals.fault('reaper', toSluiceError(error));
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
