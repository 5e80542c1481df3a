import { workspaceEntityId, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Clock } from '../clock';
import { derivedEventId } from '../journal/command-scope';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { WorkspaceSignals } from '../signals';
import { nextRunAtFrom } from './catch-up';
import { jobOf } from './cron-job-document';

/** What decides when a job is due. */
export const SCHEDULE_FIELDS = ['cron', 'every', 'timezone', 'enabled'] as const;

/** What a job was taken for: the state that was read, and what its events say it waits for afterwards. */
export interface Handled {
  readonly document: WorkspaceDocument;
  readonly job: CronJob;
  readonly nextRunAt: number | null;
}

/** A job as it is now. */
type Current = Omit<Handled, 'nextRunAt'>;

/**
 * Sees to it that a job waits for the right time where events of several replicas overtook each other: a triggered event
 * says what the job waits for next as its writer knew the job.
 */
export class CronRescheduler {
  constructor(
    private readonly documents: WorkspaceDocuments,
    private readonly journal: WorkspaceJournal,
    private readonly clock: Clock,
    private readonly signals: WorkspaceSignals,
  ) {}

  /**
   * After due times are dealt with: a job that still waits for the same one is moved on. It does where nothing was to be
   * run, and where another replica's event, later in the log, put it back. After a triggered event also as `correct` does.
   */
  async settle(handled: Handled, hasTriggered: boolean): Promise<void> {
    const now = await this.reread(handled);
    if (!now) return;
    const { dueAt } = now.document;
    if (hasTriggered && isOvertaken(now, handled)) await this.follow(now);
    else if (dueAt !== undefined && dueAt === handled.document.dueAt) await this.reschedule(now, handled.nextRunAt);
  }

  /** After a triggered event: a job that got another schedule before it was written waits by the new one. */
  async correct(handled: Handled): Promise<void> {
    const now = await this.reread(handled);
    if (now && isOvertaken(now, handled)) await this.follow(now);
  }

  private follow(now: Current): Promise<void> {
    return this.reschedule(now, nextRunAtFrom(now.job, this.clock.now()));
  }

  private async reread({ document: { workspaceId, id } }: Handled): Promise<Current | undefined> {
    const document = await this.documents.find(workspaceId, 'cron_job', id);
    const job = document && jobOf(document);
    return job && { document, job };
  }

  private async reschedule(
    { document: { workspaceId, id, lastPosition }, job }: Current,
    nextRunAt: number | null,
  ): Promise<void> {
    // One such event for each state of the job, whoever sees it first.
    const what = `moved/${job.created_at}/${lastPosition}`;
    const eventId = derivedEventId(workspaceId, workspaceEntityId('cron', id), what);
    const draft = draftOf('cron_job_updated', { job: { ...job, next_run_at: nextRunAt } }, { eventId });
    await this.journal.append({ workspaceId }, [draft]);
    this.signals.jobMovedOn({ workspaceId, jobId: id });
  }
}

/** Whether a job waits for what a triggered event said that did not know its schedule. */
function isOvertaken({ document, job }: Current, handled: Handled): boolean {
  if (document.fields['next_run_at'] !== handled.nextRunAt) return false;
  return !SCHEDULE_FIELDS.every((name) => job[name] === handled.job[name]);
}
