import { workspaceEntityId, type TaskStatus, type WorkspaceEventData } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import type { Changed } from '../changed';
import { readPage, requireDocument, type PageQuery } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import { taskOf, taskOfEvent, type NewTask, type Task, type TaskPatch } from './task';

/** The tasks of workspaces. */
export class TaskCommands {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
  ) {}

  async create(scope: CommandScope, task: NewTask): Promise<Changed<Task>> {
    const data = { task_id: newObjectId(scope, 'task'), ...task };
    const { occurredAt, pending } = await this.journal.append(scope, [draftOf('task_created', data)]);
    return this.changed(scope, data, pending, occurredAt);
  }

  /** Says `task_updated` always, and `task_status_changed` when the status became another. */
  update(scope: CommandScope, taskId: string, patch: TaskPatch): Promise<Changed<Task>> {
    const first = async () => {
      const document = await requireDocument(this.documents, scope.workspaceId, 'task', taskId);
      const before = taskOf(document);
      const updated = draftOf('task_updated', { task_id: taskId, ...patch });
      const status = patch.status === undefined ? [] : statusChange(taskId, before.status, patch.status);
      // The change of status first: a command that is repeated after half of it was written still finds it to be one.
      const { occurredAt, pending } = await this.journal.append(scope, [...status, updated]);
      const { id: task_id, created_at: _created, updated_at: _updated, ...known } = { ...before, ...patch };
      const data = { task_id, ...known };
      return this.changed(scope, data, pending, occurredAt, document.createdAt);
    };
    const again = async () => ({ value: await this.get(scope.workspaceId, taskId), isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(taskId), writes: 'task_updated', first, again });
  }

  delete(scope: CommandScope, taskId: string): Promise<Changed<{ deleted: string }>> {
    const value = { deleted: taskId };
    const first = async () => {
      await requireDocument(this.documents, scope.workspaceId, 'task', taskId);
      const { pending } = await this.journal.append(scope, [draftOf('task_deleted', { task_id: taskId })]);
      return { value, isPending: pending };
    };
    const again = async () => ({ value, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(taskId), writes: 'task_deleted', first, again });
  }

  async get(workspaceId: number, taskId: string): Promise<Task> {
    return taskOf(await requireDocument(this.documents, workspaceId, 'task', taskId));
  }

  async list(workspaceId: number, query: PageQuery): Promise<{ tasks: Task[]; nextCursor?: number }> {
    const { documents, ...rest } = await readPage(this.documents, { workspaceId, kind: 'task' }, query);
    return { tasks: documents.map(taskOf), ...rest };
  }

  private async changed(
    { workspaceId }: CommandScope,
    data: WorkspaceEventData<'task_created'>,
    isPending: boolean,
    nowMs: number,
    createdAt = nowMs,
  ): Promise<Changed<Task>> {
    const document = isPending ? undefined : await this.documents.find(workspaceId, 'task', data.task_id);
    return { value: document ? taskOf(document) : taskOfEvent(data, createdAt, nowMs), isPending };
  }
}

const entityIdOf = (taskId: string) => workspaceEntityId('task', taskId);

function statusChange(task_id: string, old_status: TaskStatus, new_status: TaskStatus) {
  return old_status === new_status ? [] : [draftOf('task_status_changed', { task_id, old_status, new_status })];
}
