import { BEFORE_FIRST, toPosition, type MemoryReadModel } from '@sluice/event-log';
import {
  changesOfKind,
  MemoryAgentDirectory,
  MemorySessionEvents,
  MemoryWorkspaceDocuments,
  mergeChanges,
  projectEvent,
  type AgentDirectory,
  type AgentRecord,
  type CountWaitingDocuments,
  type DueWorkspaceDocuments,
  type FeedbackRecord,
  type ListAgents,
  type ListFeedback,
  type ListSessionEvents,
  type ListWorkspaceDocuments,
  type SessionEventPage,
  type SessionEventRecord,
  type SessionEvents,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from '@sluice/projections';
import type { Epoch } from '@sluice/event-schema';

/** Most events that are projected at once. */
const MAX_BATCH_EVENTS = 1000;

/** Projects what is recorded, and before it answers a question all of it, so that nothing ever lags behind. */
export class FollowingProjections {
  private documents = new MemoryWorkspaceDocuments();
  private agents = new MemoryAgentDirectory();
  private sessionEvents: MemorySessionEvents;
  private position = BEFORE_FIRST;
  private epoch: Epoch | undefined;
  private revision = 0;

  constructor(
    private readonly readModel: Pick<MemoryReadModel, 'head' | 'readAll' | 'revision' | 'isKept' | 'onRecorded'>,
  ) {
    this.sessionEvents = this.noSessionEvents();
    // What is removed later has had its effect by then.
    void readModel.onRecorded(() => void this.catchUp());
  }

  private noSessionEvents(): MemorySessionEvents {
    return new MemorySessionEvents((position) => this.readModel.isKept(position));
  }

  async currentDocuments(): Promise<WorkspaceDocuments> {
    await this.catchUp();
    return this.documents;
  }

  async currentAgents(): Promise<AgentDirectory> {
    await this.catchUp();
    return this.agents;
  }

  async currentSessionEvents(): Promise<SessionEvents> {
    await this.catchUp();
    return this.sessionEvents;
  }

  private async catchUp(): Promise<void> {
    const { epoch, position: head } = await this.readModel.head();
    this.startOverIn(epoch);
    while (this.position < head) {
      const after = this.position;
      const { events, reached } = await this.readModel.readAll({ after, upTo: head, limit: MAX_BATCH_EVENTS });
      // Another question may have been here meanwhile.
      if (this.epoch !== epoch || this.revision !== this.readModel.revision) return this.catchUp();
      const fresh = events.filter(({ event }) => event.position > this.position);
      const changes = mergeChanges(fresh.flatMap(({ event }) => projectEvent(event)));
      this.documents.apply(changesOfKind('workspace_document', changes));
      this.agents.apply(changesOfKind('agent', changes));
      this.sessionEvents.apply(changesOfKind('session_event', changes));
      this.position = toPosition(Math.max(this.position, reached));
    }
  }

  /** A rebuild may have numbered the events anew, or an erasure changed what was. */
  private startOverIn(epoch: Epoch): void {
    const { revision } = this.readModel;
    if (epoch === this.epoch && revision === this.revision) return;
    this.epoch = epoch;
    this.revision = revision;
    this.position = BEFORE_FIRST;
    this.documents = new MemoryWorkspaceDocuments();
    this.agents = new MemoryAgentDirectory();
    this.sessionEvents = this.noSessionEvents();
  }
}

export class FollowingWorkspaceDocuments implements WorkspaceDocuments {
  constructor(private readonly projections: FollowingProjections) {}

  async find(workspaceId: number, kind: WorkspaceDocumentKind, id: string): Promise<WorkspaceDocument | undefined> {
    return (await this.projections.currentDocuments()).find(workspaceId, kind, id);
  }

  async list(query: ListWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    return (await this.projections.currentDocuments()).list(query);
  }

  async due(query: DueWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    return (await this.projections.currentDocuments()).due(query);
  }

  async countWaiting(query: CountWaitingDocuments): Promise<number> {
    return (await this.projections.currentDocuments()).countWaiting(query);
  }
}

export class FollowingAgentDirectory implements AgentDirectory {
  constructor(private readonly projections: FollowingProjections) {}

  async find(agentId: string): Promise<AgentRecord | undefined> {
    return (await this.projections.currentAgents()).find(agentId);
  }

  async list(query: ListAgents): Promise<readonly AgentRecord[]> {
    return (await this.projections.currentAgents()).list(query);
  }

  async feedback(query: ListFeedback): Promise<readonly FeedbackRecord[]> {
    return (await this.projections.currentAgents()).feedback(query);
  }
}

export class FollowingSessionEvents implements SessionEvents {
  constructor(private readonly projections: FollowingProjections) {}

  async list(query: ListSessionEvents): Promise<SessionEventPage> {
    return (await this.projections.currentSessionEvents()).list(query);
  }

  async byIds(workspaceId: number, sessionId: string, ids: readonly string[]): Promise<readonly SessionEventRecord[]> {
    return (await this.projections.currentSessionEvents()).byIds(workspaceId, sessionId, ids);
  }

  async find(workspaceId: number, sessionId: string, id: string): Promise<SessionEventRecord | undefined> {
    return (await this.projections.currentSessionEvents()).find(workspaceId, sessionId, id);
  }
}
