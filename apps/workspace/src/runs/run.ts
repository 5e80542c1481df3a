import { workspaceEntityId, type CronJob } from '@sluice/event-schema';
import { derivedEventId } from '../journal/command-scope';
import { draftOf, type WorkspaceDraft } from '../journal/workspace-draft';
import type { RunFacts } from '../signals';

interface RunBase {
  readonly workspaceId: number;
  /** Until when an outcome has to be on record; after it any process may say that the run has failed. */
  readonly deadlineAt: number;
}

/** An agent that works in a session. */
export interface AgentRun extends RunBase {
  readonly kind: 'agent';
  readonly sessionId: string;
  readonly agentId: string;
}

/** An agent of a group chat that was spoken to. */
export interface GroupRun extends RunBase {
  readonly kind: 'group_chat';
  readonly groupChatId: string;
  readonly sessionId: string;
  /** The message that it answers. */
  readonly messageId: string;
  readonly agentId: string;
  readonly agentName: string;
}

/** One execution of a cron job. */
export interface CronRun extends RunBase {
  readonly kind: 'cron';
  readonly jobId: string;
  readonly jobName: string;
  readonly runId: string;
  readonly triggeredAt: number;
}

/** What has begun and must end: by exactly one outcome, whoever writes it. */
export type Run = AgentRun | GroupRun | CronRun;

export function runFacts(run: Run): RunFacts {
  const { kind, workspaceId } = run;
  return { kind, workspaceId, runId: runIdOf(run) };
}

/** As the documents name it. */
function runIdOf(run: Run): string {
  switch (run.kind) {
    case 'agent':
      return run.sessionId;
    case 'group_chat':
      return `${run.messageId}/${run.agentId}`;
    case 'cron':
      return run.runId;
  }
}

/**
 * The id of the outcome, the same for everybody who ends the run: the log keeps the first. A session may have one run
 * after the other, which their deadlines tell apart.
 */
export function outcomeId(run: Run): string {
  const ending = run.kind === 'agent' ? `${runIdOf(run)}/${run.deadlineAt}` : runIdOf(run);
  return derivedEventId(run.workspaceId, entityIdOf(run), `outcome/${ending}`);
}

function entityIdOf(run: Run): string {
  switch (run.kind) {
    case 'agent':
      return workspaceEntityId('session', run.sessionId);
    case 'group_chat':
      return workspaceEntityId('group', run.groupChatId);
    case 'cron':
      return workspaceEntityId('cron', run.jobId);
  }
}

/** The outcome that says that the run failed. */
export function failureOf(run: Run, error: string, nowMs: number): WorkspaceDraft {
  const eventId = outcomeId(run);
  switch (run.kind) {
    case 'agent': {
      const { agentId: agent_id, sessionId: session_id } = run;
      return draftOf('agent_error', { agent_id, session_id, error }, { eventId });
    }
    case 'group_chat': {
      const { groupChatId: group_chat_id, sessionId: session_id, agentId: agent_id, messageId: in_reply_to } = run;
      return draftOf(
        'group_chat_agent_error',
        { group_chat_id, session_id, agent_id, error, in_reply_to },
        { eventId },
      );
    }
    case 'cron': {
      const { jobId: job_id, jobName: job_name, runId: run_id, triggeredAt } = run;
      const duration_ms = Math.max(0, nowMs - triggeredAt);
      const data = { job_id, job_name, run_id, error, duration_ms, failed_at: nowMs };
      return draftOf('cron_job_failed', data, { eventId });
    }
  }
}

/** The outcome of an agent's work in a session. */
export function agentCompleted(run: AgentRun, success: boolean): WorkspaceDraft {
  const { agentId: agent_id, sessionId: session_id } = run;
  return draftOf('agent_completed', { agent_id, session_id, success }, { eventId: outcomeId(run) });
}

export function groupResponse(run: GroupRun, content: string): WorkspaceDraft {
  const eventId = outcomeId(run);
  const data = {
    group_chat_id: run.groupChatId,
    session_id: run.sessionId,
    agent_id: run.agentId,
    agent_name: run.agentName,
    content,
    message_id: `message-${eventId}`,
    in_reply_to: run.messageId,
  };
  return draftOf('group_chat_agent_response', data, { eventId });
}

export function cronCompleted(
  run: CronRun,
  jobType: CronJob['job_type'],
  output: string,
  nowMs: number,
): WorkspaceDraft {
  const data = {
    job_id: run.jobId,
    job_name: run.jobName,
    job_type: jobType,
    run_id: run.runId,
    status: 'success' as const,
    duration_ms: Math.max(0, nowMs - run.triggeredAt),
    output,
    completed_at: nowMs,
  };
  return draftOf('cron_job_completed', data, { eventId: outcomeId(run) });
}
