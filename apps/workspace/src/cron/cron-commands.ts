import { SluiceError } from '@sluice/event-log';
import { workspaceEntityId, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocuments } from '@sluice/projections';
import type { Changed } from '../changed';
import type { Clock } from '../clock';
import type { CronConfig } from '../config';
import { isAnothers, noSuch, readPage, requireDocument, type PageQuery } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import type { RunExecutor } from '../runs/run-executor';
import { nextRunAtFrom } from './catch-up';
import type { CronClaims } from './cron-claims';
import { cronJobViewOf, patchedJob, slugOf, type CronJobPatch, type CronJobView, type NewCronJob } from './cron-job';
import { jobOf } from './cron-job-document';
import { SCHEDULE_FIELDS, type CronRescheduler } from './cron-rescheduler';
import type { CronRuns } from './cron-runs';
import { assertSchedule } from './schedule';

/** The cron jobs of workspaces, as callers change and run them. */
export class CronCommands {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
    private readonly executor: RunExecutor,
    private readonly claims: CronClaims,
    private readonly rescheduler: CronRescheduler,
    private readonly runs: CronRuns,
    private readonly clock: Clock,
    private readonly limits: Pick<CronConfig, 'jobsPerWorkspace'>,
  ) {}

  /** A job without an id has its name as id, and a new one where that is taken. */
  async create(scope: CommandScope, { id: named, ...fields }: NewCronJob): Promise<Changed<CronJobView>> {
    // The name may be free by now, or the other way round.
    const earlier = await this.journal.earlier(scope, 'cron_job_created');
    if (earlier) return (await this.made(scope, earlier.data.job, earlier.position)) ?? taken();
    const nowMs = this.clock.now();
    this.assertRunnable(fields);
    assertSchedule(fields, nowMs);
    const slug = slugOf(fields.name);
    const job = (id: string): CronJob => ({
      ...fields,
      id,
      next_run_at: nextRunAtFrom(fields, nowMs),
      created_at: nowMs,
      updated_at: nowMs,
    });
    if (named === undefined && slug !== '') {
      const made = await this.createAs(scope, job(slug));
      if (made) return made;
    }
    const made = await this.createAs(scope, job(named ?? newObjectId(scope, slug === '' ? 'job' : slug)));
    return made ?? taken();
  }

  update(scope: CommandScope, jobId: string, patch: CronJobPatch): Promise<Changed<CronJobView>> {
    const first = async () => {
      const { job: before, document } = await this.require(scope.workspaceId, jobId);
      const nowMs = this.clock.now();
      const changed = patchedJob(before, patch, nowMs);
      if (patch.job_type !== undefined || patch.script !== undefined) this.assertRunnable(changed);
      assertSchedule(changed, nowMs);
      const isRescheduled = SCHEDULE_FIELDS.some((name) => changed[name] !== before[name]);
      const job = isRescheduled ? { ...changed, next_run_at: nextRunAtFrom(changed, nowMs) } : changed;
      if (before.next_run_at === null) await this.assertRoomFor(scope, job);
      const { pending } = await this.journal.append(scope, [draftOf('cron_job_updated', { job })]);
      return this.changed(scope, job, pending, document);
    };
    const again = async () => ({ value: await this.get(scope.workspaceId, jobId), isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(jobId), writes: 'cron_job_updated', first, again });
  }

  delete(scope: CommandScope, jobId: string): Promise<Changed<{ deleted: string }>> {
    const value = { deleted: jobId };
    const first = async () => {
      await requireDocument(this.documents, scope.workspaceId, 'cron_job', jobId);
      const { pending } = await this.journal.append(scope, [draftOf('cron_job_deleted', { job_id: jobId })]);
      return { value, isPending: pending };
    };
    const again = async () => ({ value, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(jobId), writes: 'cron_job_deleted', first, again });
  }

  /** Runs a job now, enabled or not; when it is due next stays as it is. @throws SluiceError `not_found`, `overloaded` */
  run(scope: CommandScope, jobId: string): Promise<Changed<{ runId: string }>> {
    const runId = newObjectId(scope, 'run');
    const first = async () => {
      const { job, document } = await this.require(scope.workspaceId, jobId);
      const [place] = this.executor.reserve(scope.workspaceId);
      try {
        const due = { dueAt: this.clock.now(), missed: 0, nextRunAt: job.next_run_at };
        const { run, draft } = this.claims.triggered(scope, job, due, runId, true);
        const written = await this.journal.append(scope, [draft]);
        const [triggered] = written.events;
        if (place && triggered) this.runs.start(place, job, run, this.journal.isOurs(scope, triggered, written));
        if (!written.pending) await this.rescheduler.correct({ document, job, nextRunAt: job.next_run_at });
        return { value: { runId }, isPending: written.pending };
      } finally {
        place?.release();
      }
    };
    const again = async () => ({ value: { runId }, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(jobId), writes: 'cron_job_triggered', first, again });
  }

  async get(workspaceId: number, jobId: string): Promise<CronJobView> {
    return cronJobViewOf(await requireDocument(this.documents, workspaceId, 'cron_job', jobId));
  }

  async list(workspaceId: number, query: PageQuery): Promise<{ jobs: CronJobView[]; nextCursor?: number }> {
    const { documents, ...rest } = await readPage(this.documents, { workspaceId, kind: 'cron_job' }, query);
    return { jobs: documents.map(cronJobViewOf), ...rest };
  }

  /** Undefined when another job has the id. */
  private createAs(scope: CommandScope, job: CronJob): Promise<Changed<CronJobView> | undefined> {
    const first = async () => {
      if (await this.documents.find(scope.workspaceId, 'cron_job', job.id)) return undefined;
      await this.assertRoomFor(scope, job);
      const { pending, position } = await this.journal.append(scope, [draftOf('cron_job_created', { job })]);
      return pending ? this.changed(scope, job, true) : this.made(scope, job, position);
    };
    return this.commands.once(scope, {
      entityId: entityIdOf(job.id),
      writes: 'cron_job_created',
      first,
      again: ({ data, position }) => this.made(scope, data.job, position),
    });
  }

  /** Of what is on record: changes at the same moment may go somewhat beyond. */
  private async assertRoomFor({ workspaceId }: CommandScope, { next_run_at }: CronJob): Promise<void> {
    if (next_run_at === null) return;
    const { jobsPerWorkspace: atMost } = this.limits;
    const count = await this.documents.countWaiting({ workspaceId, kind: 'cron_job', atMost });
    if (count < atMost) return;
    throw new SluiceError('conflict', `The workspace has its most enabled cron jobs: ${atMost}`);
  }

  private assertRunnable({ job_type, script }: Pick<CronJob, 'job_type' | 'script'>): void {
    if (job_type !== 'script') return;
    if (!this.runs.runsScripts) {
      const where = 'body.job_type';
      throw new SluiceError('invalid_request', `${where}: script jobs are off: no sandbox runner is configured`, {
        where,
      });
    }
    if (script === undefined || script === '') {
      throw new SluiceError('invalid_request', 'body.script: a script job has a script', { where: 'body.script' });
    }
  }

  private async require(workspaceId: number, jobId: string): Promise<{ job: CronJob; document: WorkspaceDocument }> {
    const document = await requireDocument(this.documents, workspaceId, 'cron_job', jobId);
    const job = jobOf(document);
    if (!job) throw noSuch('cron_job');
    return { job, document };
  }

  /** A job by its creation at a position; undefined when another job of the id was made before it. */
  private async made(
    scope: CommandScope,
    job: CronJob,
    madeAt: number | undefined,
  ): Promise<Changed<CronJobView> | undefined> {
    const document = await this.documents.find(scope.workspaceId, 'cron_job', job.id);
    return document && isAnothers(document, madeAt) ? undefined : this.changed(scope, job, false);
  }

  private async changed(
    { workspaceId }: CommandScope,
    job: CronJob,
    isPending: boolean,
    before?: WorkspaceDocument,
  ): Promise<Changed<CronJobView>> {
    const document = isPending ? undefined : await this.documents.find(workspaceId, 'cron_job', job.id);
    if (document) return { value: cronJobViewOf(document), isPending };
    const lastRun = before && cronJobViewOf(before).last_run;
    return { value: { ...job, ...(lastRun && { last_run: lastRun }) }, isPending };
  }
}

const entityIdOf = (jobId: string) => workspaceEntityId('cron', jobId);

function taken(): never {
  throw new SluiceError('conflict', 'There is a cron job of this id', { where: 'body.id' });
}
