import type { SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { newWebhookSecret } from '@sluice/signed-webhooks';
import type { Clock } from '../clock';
import { newId } from '../new-ids';

/** Most engines of one workspace; more are refused. */
export const MAX_ENGINES = 100;

/** An engine that is reached by HTTP. */
export interface RegisteredEngine {
  /** `eng_…` */
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** Signs what it is told: `whsec_…`. */
  readonly secret: string;
  readonly createdAtMs: number;
}

export interface NewEngine {
  readonly name: string;
  readonly url: string;
}

const KIND = 'engine';

/** The engines that workspaces brought. Every method may throw SluiceError `read_model_unavailable`. */
export class RegisteredEngines {
  constructor(
    private readonly documents: Pick<SessionDocuments, 'create' | 'find' | 'list' | 'remove'>,
    private readonly clock: Clock,
  ) {}

  /** With a fresh secret. @throws SluiceError `conflict` when the workspace has too many */
  async register(workspaceId: number, { name, url }: NewEngine): Promise<RegisteredEngine> {
    const present = await this.documents.list({
      workspaceId,
      kind: KIND,
      order: 'ascending',
      limit: MAX_ENGINES,
      includeArchived: true,
    });
    if (present.length >= MAX_ENGINES) {
      throw new SluiceError('conflict', `A workspace has at most ${MAX_ENGINES} engines`);
    }
    const nowMs = this.clock.now();
    const engine = { id: newId('eng'), name, url, secret: newWebhookSecret(), createdAtMs: nowMs };
    await this.documents.create([
      {
        workspaceId,
        kind: KIND,
        id: engine.id,
        parentId: null,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        archivedAtMs: null,
        expiresAtMs: null,
        fields: { name, url, secret: engine.secret },
      },
    ]);
    return engine;
  }

  async find(workspaceId: number, id: string): Promise<RegisteredEngine | undefined> {
    const document = await this.documents.find(workspaceId, KIND, id);
    return document && toEngine(document);
  }

  async list(
    workspaceId: number,
    page: {
      readonly order: 'ascending' | 'descending';
      readonly limit: number;
      readonly after?: { readonly createdAtMs: number; readonly id: string };
    },
  ): Promise<readonly RegisteredEngine[]> {
    const documents = await this.documents.list({ workspaceId, kind: KIND, includeArchived: true, ...page });
    return documents.map(toEngine);
  }

  /** False when there is none. Runs of sessions that name it are given up from then on. */
  remove(workspaceId: number, id: string): Promise<boolean> {
    return this.documents.remove(workspaceId, KIND, id);
  }
}

function toEngine({ id, createdAtMs, fields }: SessionDocument): RegisteredEngine {
  return {
    id,
    name: String(fields['name']),
    url: String(fields['url']),
    secret: String(fields['secret']),
    createdAtMs,
  };
}
