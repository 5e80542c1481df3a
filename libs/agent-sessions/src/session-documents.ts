/** What sessions are made of, and what they use. */
export const SESSION_DOCUMENT_KINDS = [
  'agent',
  'agent_version',
  'environment',
  'vault',
  'vault_credential',
  'file',
  /** Bytes of a file that are to be removed, unless there is a file of this id by then. */
  'file_bytes',
  /** The token of a repository, which belongs to a session. */
  'repository_token',
  'engine',
] as const;

export type SessionDocumentKind = (typeof SESSION_DOCUMENT_KINDS)[number];

/** A thing with an id that is not an event: an agent, an environment, a file's description. */
export interface SessionDocument {
  readonly workspaceId: number;
  readonly kind: SessionDocumentKind;
  readonly id: string;
  /** What it belongs to: the agent of a version, the vault of a credential, the session of a file. */
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly archivedAtMs: number | null;
  /** When it is to be removed. */
  readonly expiresAtMs: number | null;
  /** Rises by one with each replacement; 1 when it is new. */
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ListSessionDocuments {
  readonly workspaceId: number;
  readonly kind: SessionDocumentKind;
  readonly parentId?: string;
  /** Only these. */
  readonly ids?: readonly string[];
  readonly order: 'ascending' | 'descending';
  /** Beyond this one in the order, which is by creation and then id. */
  readonly after?: { readonly createdAtMs: number; readonly id: string };
  readonly limit: number;
  readonly includeArchived: boolean;
  readonly createdFromMs?: number;
  readonly createdUpToMs?: number;
}

/** A part of a list. */
export interface SessionDocumentPage {
  /** At most as many as asked for, in the order. */
  readonly documents: readonly SessionDocument[];
  /** There are more beyond the last one. */
  readonly hasMore: boolean;
}

/** A document without what the store counts itself. */
export type NewSessionDocument = Omit<SessionDocument, 'version'>;

/** Where they are kept. Every method may throw SluiceError `read_model_unavailable`. */
export interface SessionDocuments {
  /** Stores new documents, all or none. False when there is one of these ids. */
  create(documents: readonly NewSessionDocument[]): Promise<boolean>;
  find(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<SessionDocument | undefined>;
  /**
   * Replaces one, and stores new ones with it (the version of an agent), unless another replacement came first. Gives the
   * new version; undefined when the expected one is not there any more, or there is one of the new ids. Nothing is stored
   * then.
   */
  replace(
    document: NewSessionDocument,
    expectedVersion: number,
    also?: readonly NewSessionDocument[],
  ): Promise<number | undefined>;
  /** False when there is none. */
  remove(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<boolean>;
  /** Ends early, after at least one, where the fields would come to more than `MAX_LISTED_BYTES`. */
  list(query: ListSessionDocuments): Promise<SessionDocumentPage>;
  /** Those whose time has come, of all workspaces, the earliest first. */
  expired(kind: SessionDocumentKind, nowMs: number, limit: number): Promise<readonly SessionDocument[]>;
  /** Sum of a field of all documents of a kind, archived or not: the bytes of a workspace's files. */
  sum(workspaceId: number, kind: SessionDocumentKind, field: 'size_bytes'): Promise<number>;
}
