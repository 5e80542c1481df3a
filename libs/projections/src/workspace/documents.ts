/** What the workspace family is projected to: one document for each thing that can be asked for by its id. */
export const WORKSPACE_DOCUMENT_KINDS = [
  'task',
  'session',
  'session_message',
  'group_chat',
  'group_chat_member',
  'group_chat_session',
  'group_chat_message',
  'cron_job',
  'run',
] as const;

export type WorkspaceDocumentKind = (typeof WORKSPACE_DOCUMENT_KINDS)[number];

/** Most documents in one page; a larger limit counts as this one. */
export const MAX_LISTED_DOCUMENTS = 1000;

/** A page that ends before its limit although there is more has at least so many documents. */
export const MIN_CUT_PAGE_DOCUMENTS = 100;

/** Most documents in one answer about what is due; a larger limit counts as this one. */
export const MAX_DUE_DOCUMENTS = 100;

/** One thing of a workspace as its events left it. */
export interface WorkspaceDocument {
  readonly workspaceId: number;
  readonly kind: WorkspaceDocumentKind;
  /** Unique within the workspace and the kind; of a message or a group chat's session, within what it belongs to. */
  readonly id: string;
  /** What it belongs to: a message's session, a member's or a session's group chat. */
  readonly parentId?: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** When the event occurred that made it, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When the newest event occurred that changed it, in milliseconds since 1970. */
  readonly updatedAt: number;
  readonly createdPosition: number;
  readonly lastPosition: number;
  /** When it wants attention, in milliseconds since 1970: a cron job's next run, the deadline of a run. */
  readonly dueAt?: number;
}

/** A page of the documents of one kind in one workspace, in the order in which they were made. */
export interface ListWorkspaceDocuments {
  readonly workspaceId: number;
  readonly kind: WorkspaceDocumentKind;
  /** Only those that belong to this. */
  readonly parentId?: string;
  /** The `createdPosition` of the last document on the page before. */
  readonly after?: number;
  /** By `createdPosition`; ascending by default. */
  readonly order?: 'ascending' | 'descending';
  /** Most documents in the answer. */
  readonly limit: number;
}

export interface DueWorkspaceDocuments {
  readonly kind: WorkspaceDocumentKind;
  /** Only what is due at or before this instant, in milliseconds since 1970. */
  readonly dueBefore: number;
  /** Most documents in the answer. */
  readonly limit: number;
}

export interface CountWaitingDocuments {
  readonly workspaceId: number;
  readonly kind: WorkspaceDocumentKind;
  /** Counting ends here. */
  readonly atMost: number;
}

/**
 * Reads the documents of workspaces. They show all recorded events and only those: what has a position can be read here.
 * Every method may throw SluiceError `read_model_unavailable`.
 */
export interface WorkspaceDocuments {
  /** Any of them, where several have the id (see WorkspaceDocument). */
  find(workspaceId: number, kind: WorkspaceDocumentKind, id: string): Promise<WorkspaceDocument | undefined>;
  /**
   * Where documents are large (some megabytes) a page may end before `limit`, though never before
   * `MIN_CUT_PAGE_DOCUMENTS`: whoever wants all goes on `after` the last one until a page is shorter than both.
   */
  list(query: ListWorkspaceDocuments): Promise<readonly WorkspaceDocument[]>;
  /**
   * Of all workspaces: what falls due at or before an instant. For our own loops, never for a door. Workspaces take turns:
   * the earliest of each workspace, then the second of each, and so on; within a turn the earliest first. So one workspace
   * with very much that is due keeps no other out of a page, and a page is full where more is due than its limit.
   */
  due(query: DueWorkspaceDocuments): Promise<readonly WorkspaceDocument[]>;
  /** How many documents of a workspace wait for an instant (have `dueAt`), counted up to `atMost`. */
  countWaiting(query: CountWaitingDocuments): Promise<number>;
}
