import type { SessionDocument, SessionDocuments, SessionState } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { SecretBox } from '@sluice/secret-box';
import type { Clock } from '../clock';
import { Shelf } from '../documents/shelf';

/** More than a session has resources. */
const MAX_TOKENS = 1_000;
const FIELD = 'authorization_token';
const KIND = 'repository_token';

/** Longer than any command takes: a token is looked at then, and goes if nothing has it. */
const LEASE_MS = 3_600_000;
/** How many are looked at in one go. */
const SWEEP_BATCH = 100;

const MAX_TRIES = 5;
const RETRY_AFTER_MS = 200;

/**
 * Tokens of the repositories of sessions, by the id of the resource. Kept sealed; only engines are given them. They are not
 * stored with the session, so each is looked at by the sweep after it was kept, and after its end was begun: what a crash
 * left without a resource goes then.
 */
export class RepositoryTokens {
  private readonly tokens: Shelf;

  constructor(
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly box: SecretBox,
  ) {
    this.tokens = new Shelf(documents, clock, {
      kind: KIND,
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
    const expiresAtMs = this.clock.now() + LEASE_MS;
    const draft = { ...this.tokens.draft(workspaceId, fields, { parentId: sessionId }), id: resourceId, expiresAtMs };
    if (await this.documents.create([draft])) return;
    await this.tokens.change(workspaceId, resourceId, () => ({ fields }), sessionId);
  }

  /** Of one resource. Idempotent. */
  async forget(workspaceId: number, resourceId: string): Promise<void> {
    await this.documents.remove(workspaceId, KIND, resourceId);
  }

  /**
   * The end of the session, or of this resource of it, is begun: whether it came about is looked at later.
   * @throws SluiceError `overloaded` when others change them all the time
   */
  async doubt(workspaceId: number, sessionId: string, resourceId?: string): Promise<void> {
    const expiresAtMs = this.clock.now() + LEASE_MS;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const tokens = await this.ofSession(workspaceId, sessionId);
      const doubted = tokens.filter(({ id }) => resourceId === undefined || id === resourceId);
      const done = await Promise.all(doubted.map((token) => this.lookAt(token, expiresAtMs)));
      if (done.every(Boolean)) return;
    }
    throw new SluiceError('overloaded', 'Too many change the tokens at once', { retryAfterMs: RETRY_AFTER_MS });
  }

  /** Removes what nothing has, of those whose time to be looked at has come. Gives whether there may be more. */
  async sweep(
    stateOf: (workspaceId: number, sessionId: string) => Promise<SessionState | undefined>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const due = await this.documents.expired(KIND, this.clock.now(), SWEEP_BATCH);
    for (const token of due) {
      if (signal.aborted) return false;
      const state = await stateOf(token.workspaceId, token.parentId ?? '');
      const isHad = state?.resources.some(({ id }) => id === token.id) ?? false;
      if (isHad) await this.lookAt(token, null);
      else await this.forget(token.workspaceId, token.id);
    }
    return due.length === SWEEP_BATCH;
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

  /** Says when it is to be looked at. False when it was changed meanwhile: then it is left as it is. */
  private async lookAt({ version, ...token }: SessionDocument, expiresAtMs: number | null): Promise<boolean> {
    return (await this.documents.replace({ ...token, expiresAtMs }, version)) !== undefined;
  }

  private async ofSession(workspaceId: number, parentId: string): Promise<readonly SessionDocument[]> {
    const kind = KIND;
    const { documents } = await this.documents.list({
      workspaceId,
      kind,
      parentId,
      order: 'ascending',
      limit: MAX_TOKENS,
      includeArchived: true,
    });
    return documents;
  }
}
