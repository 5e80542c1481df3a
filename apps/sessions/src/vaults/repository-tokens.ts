import type { SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import { Shelf } from '../documents/shelf';
import type { SecretBox } from './secret-box';

/** More than a session has resources. */
const MAX_TOKENS = 1_000;
const FIELD = 'authorization_token';

/** Tokens of the repositories of sessions, by the id of the resource. Kept sealed; only engines are given them. */
export class RepositoryTokens {
  private readonly tokens: Shelf;

  constructor(
    private readonly documents: SessionDocuments,
    clock: Clock,
    private readonly box: SecretBox,
  ) {
    this.tokens = new Shelf(documents, clock, {
      kind: 'repository_token',
      prefix: 'sesrsc',
      missing: () => new SluiceError('not_found', 'The repository has no token'),
    });
  }

  /** @throws SluiceError `invalid_request` where no secrets are kept */
  requireKey(): void {
    this.box.requireKey();
  }

  /** In place of the one that there is. @throws SluiceError `invalid_request` where no secrets are kept */
  async keep(workspaceId: number, sessionId: string, resourceId: string, token: string): Promise<void> {
    const fields = { [FIELD]: this.box.seal(token, { workspaceId, id: resourceId, field: FIELD }) };
    const draft = { ...this.tokens.draft(workspaceId, fields, { parentId: sessionId }), id: resourceId };
    if (await this.documents.create([draft])) return;
    await this.tokens.change(workspaceId, resourceId, () => ({ fields }), sessionId);
  }

  /** Of one resource. Idempotent. */
  async forget(workspaceId: number, resourceId: string): Promise<void> {
    await this.documents.remove(workspaceId, 'repository_token', resourceId);
  }

  /** Of a session that is no more. Idempotent. */
  async forgetAll(workspaceId: number, sessionId: string): Promise<void> {
    for (const { id } of await this.ofSession(workspaceId, sessionId)) await this.forget(workspaceId, id);
  }

  /** The tokens of a session, by the id of the resource. */
  async open(workspaceId: number, sessionId: string): Promise<ReadonlyMap<string, string>> {
    const documents = await this.ofSession(workspaceId, sessionId);
    return new Map(
      documents.map(({ id, fields }) => [id, this.box.open(String(fields[FIELD]), { workspaceId, id, field: FIELD })]),
    );
  }

  private ofSession(workspaceId: number, parentId: string): Promise<readonly SessionDocument[]> {
    const kind = 'repository_token';
    return this.documents.list({
      workspaceId,
      kind,
      parentId,
      order: 'ascending',
      limit: MAX_TOKENS,
      includeArchived: true,
    });
  }
}
