import type { SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { SecretBox } from '@sluice/secret-box';
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
  readonly createdAtMs: number;
}

/** With what signs that it is told: `whsec_…`. */
export interface SigningEngine extends RegisteredEngine {
  readonly secret: string;
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
    private readonly box: SecretBox,
  ) {}

  /**
   * With a fresh secret, which is kept sealed; the one that is there already where a call is repeated with its id.
   * @throws SluiceError `conflict` when the workspace has too many, `invalid_request` where no key is set that seals
   */
  async register(workspaceId: number, { name, url }: NewEngine, id = newId('eng')): Promise<SigningEngine> {
    this.box.requireKey();
    const known = await this.findSigning(workspaceId, id);
    if (known) return known;
    const { documents: present } = await this.documents.list({
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
    const engine = { id, name, url, secret: newWebhookSecret(), createdAtMs: nowMs };
    const isNew = await this.documents.create([
      {
        workspaceId,
        kind: KIND,
        id,
        parentId: null,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        archivedAtMs: null,
        expiresAtMs: null,
        fields: { name, url, secret: this.box.seal(engine.secret, placeOf(workspaceId, id)) },
      },
    ]);
    // Unless the same call was first.
    return isNew ? engine : ((await this.findSigning(workspaceId, id)) ?? engine);
  }

  async find(workspaceId: number, id: string): Promise<RegisteredEngine | undefined> {
    const document = await this.documents.find(workspaceId, KIND, id);
    return document && toEngine(document);
  }

  /** @throws SluiceError `configuration` when the key is missing by which its secret is sealed */
  async findSigning(workspaceId: number, id: string): Promise<SigningEngine | undefined> {
    const document = await this.documents.find(workspaceId, KIND, id);
    if (!document) return undefined;
    const secret = this.box.open(String(document.fields['secret']), placeOf(workspaceId, id));
    return { ...toEngine(document), secret };
  }

  async list(
    workspaceId: number,
    page: {
      readonly order: 'ascending' | 'descending';
      readonly limit: number;
      readonly after?: { readonly createdAtMs: number; readonly id: string };
    },
  ): Promise<readonly RegisteredEngine[]> {
    const { documents } = await this.documents.list({ workspaceId, kind: KIND, includeArchived: true, ...page });
    return documents.map(toEngine);
  }

  /** False when there is none. Runs of sessions that name it are given up from then on. */
  remove(workspaceId: number, id: string): Promise<boolean> {
    return this.documents.remove(workspaceId, KIND, id);
  }
}

function placeOf(workspaceId: number, id: string) {
  return { workspaceId, id, field: 'secret' };
}

function toEngine({ id, createdAtMs, fields }: SessionDocument): RegisteredEngine {
  return {
    id,
    name: String(fields['name']),
    url: String(fields['url']),
    createdAtMs,
  };
}
