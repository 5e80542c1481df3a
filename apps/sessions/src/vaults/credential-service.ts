import type { ListSessionDocuments, SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { SecretBox } from '@sluice/secret-box';
import { z } from 'zod';
import type { Clock } from '../clock';
import { metadataField, metadataPatchField, patchMetadata } from '../documents/metadata';
import { Shelf, timesOf, type DocumentPage } from '../documents/shelf';
import type { Repetition } from '../http/sdk-door';
import {
  changeAuth,
  createAuthField,
  requireNotExpired,
  splitAuth,
  updateAuthField,
  type Secrets,
  type SplitAuth,
} from './credential-auth';
import { noSuchVault } from './vault-service';

/** Most credentials of a vault that are not archived. */
const MAX_CREDENTIALS = 20;
/** How many are looked at together. */
const BATCH = 100;
const MAX_TRIES = 20;

const nameField = z.string().max(255).nullish();

/** The body of `POST /v1/vaults/{id}/credentials`. */
export const createCredentialBody = z.strictObject({
  auth: createAuthField,
  display_name: nameField,
  metadata: metadataField.optional(),
});

/** The body of `POST /v1/vaults/{id}/credentials/{id}`: what is not there stays. */
export const updateCredentialBody = z.strictObject({
  auth: updateAuthField.optional(),
  display_name: nameField,
  metadata: metadataPatchField.optional(),
});

interface CredentialFields {
  readonly display_name: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly auth: SplitAuth['shown'];
  /** Sealed, by what they are. Empty when the credential is archived. */
  readonly secrets: Secrets;
}

/** A credential with its secrets, for those who call in its name. */
export interface OpenCredential {
  readonly id: string;
  readonly vaultId: string;
  readonly auth: SplitAuth['shown'];
  readonly secrets: Secrets;
}

/** Credentials of vaults. Their secrets are kept sealed, and leave by no door. */
export class CredentialService {
  private readonly credentials: Shelf;

  constructor(
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly box: SecretBox,
  ) {
    this.credentials = new Shelf(documents, clock, {
      kind: 'vault_credential',
      prefix: 'vcrd',
      missing: noSuchCredential,
    });
  }

  /** @throws SluiceError `not_found`, `conflict` for what the vault has already, `invalid_request` */
  async create(
    workspaceId: number,
    vaultId: string,
    body: z.output<typeof createCredentialBody>,
    repetition: Repetition,
  ): Promise<SessionDocument> {
    this.box.requireKey();
    requireNotExpired(body.auth, this.clock.now());
    const { shown, secrets } = splitAuth(body.auth);
    const draft = this.credentials.draft(workspaceId, {}, { repetition, parentId: vaultId });
    const fields: CredentialFields = {
      display_name: body.display_name ?? null,
      metadata: body.metadata ?? {},
      auth: shown,
      secrets: this.seal(workspaceId, draft.id, secrets),
    };
    const credential = { ...draft, fields: { ...fields } };
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const vault = await this.documents.find(workspaceId, 'vault', vaultId);
      if (!vault) throw noSuchVault();
      if (vault.archivedAtMs !== null) throw new SluiceError('invalid_request', 'The vault is archived');
      const known = await this.documents.find(workspaceId, 'vault_credential', credential.id);
      if (known) return known;
      requireRoom(await this.present(workspaceId, vaultId), shown);
      // The vault's version rises, so that of two that come at once one looks again.
      const { version, ...same } = vault;
      if ((await this.documents.replace(same, version, [credential])) !== undefined)
        return { ...credential, version: 1 };
    }
    throw new SluiceError('overloaded', 'Too many change the vault at once');
  }

  get(workspaceId: number, vaultId: string, id: string): Promise<SessionDocument> {
    return this.credentials.require(workspaceId, id, vaultId);
  }

  update(
    workspaceId: number,
    vaultId: string,
    id: string,
    body: z.output<typeof updateCredentialBody>,
  ): Promise<SessionDocument> {
    return this.credentials.change(
      workspaceId,
      id,
      (before) => {
        if (before.archivedAtMs !== null) throw new SluiceError('invalid_request', 'The credential is archived');
        const present = before.fields as unknown as CredentialFields;
        requireNotExpired(body.auth, this.clock.now());
        const changed = body.auth && changeAuth(present.auth, body.auth);
        const fields: CredentialFields = {
          display_name: body.display_name === undefined ? present.display_name : body.display_name,
          metadata: patchMetadata(present.metadata, body.metadata),
          auth: changed?.shown ?? present.auth,
          secrets: { ...present.secrets, ...this.seal(workspaceId, id, changed?.secrets ?? {}) },
        };
        return { fields: { ...fields } };
      },
      vaultId,
    );
  }

  /** Its secrets are gone; what is shown of it stays. Idempotent. */
  archive(workspaceId: number, vaultId: string, id: string): Promise<SessionDocument> {
    return this.credentials.change(
      workspaceId,
      id,
      ({ archivedAtMs, fields }) =>
        archivedAtMs === null ? { archived: true, fields: { ...fields, secrets: {} } } : undefined,
      vaultId,
    );
  }

  async delete(workspaceId: number, vaultId: string, id: string): Promise<void> {
    await this.credentials.require(workspaceId, id, vaultId);
    await this.credentials.remove(workspaceId, id);
  }

  /** @throws SluiceError `not_found` for a vault that is not there */
  async list(
    workspaceId: number,
    vaultId: string,
    part: Omit<ListSessionDocuments, 'workspaceId' | 'kind'>,
  ): Promise<DocumentPage> {
    if (!(await this.documents.find(workspaceId, 'vault', vaultId))) throw noSuchVault();
    return this.credentials.page({ workspaceId, ...part, parentId: vaultId });
  }

  /** Of a vault that gets no more of them. */
  async archiveAll(workspaceId: number, vaultId: string): Promise<void> {
    for (const { id } of await this.present(workspaceId, vaultId)) await this.archive(workspaceId, vaultId, id);
  }

  /** Of a vault that gets no more of them, archived ones too. */
  async deleteAll(workspaceId: number, vaultId: string): Promise<void> {
    for (;;) {
      const batch = await this.batch(workspaceId, vaultId, true);
      for (const { kind, id } of batch) await this.documents.remove(workspaceId, kind, id);
      if (batch.length === 0) return;
    }
  }

  /** What a vault holds, with the secrets. Empty when there is no such vault. */
  async open(workspaceId: number, vaultId: string): Promise<readonly OpenCredential[]> {
    return (await this.present(workspaceId, vaultId)).map(({ id, fields }) => {
      const { auth, secrets } = fields as unknown as CredentialFields;
      const opened = Object.entries(secrets).map(([field, text]) => [
        field,
        this.box.open(text, { workspaceId, id, field }),
      ]);
      return { id, vaultId, auth, secrets: Object.fromEntries(opened) as Secrets };
    });
  }

  private seal(workspaceId: number, id: string, secrets: Secrets): Secrets {
    return Object.fromEntries(
      Object.entries(secrets).map(([field, secret]) => [field, this.box.seal(secret, { workspaceId, id, field })]),
    );
  }

  private present(workspaceId: number, vaultId: string): Promise<readonly SessionDocument[]> {
    return this.batch(workspaceId, vaultId, false);
  }

  private async batch(
    workspaceId: number,
    parentId: string,
    includeArchived: boolean,
  ): Promise<readonly SessionDocument[]> {
    const { documents } = await this.documents.list({
      workspaceId,
      kind: 'vault_credential',
      parentId,
      order: 'ascending',
      limit: BATCH,
      includeArchived,
    });
    return documents;
  }
}

/** A credential in the form of the SDK. */
export function credentialView(credential: SessionDocument) {
  const { display_name, metadata, auth } = credential.fields as unknown as CredentialFields;
  return {
    id: credential.id,
    type: 'vault_credential' as const,
    vault_id: credential.parentId,
    display_name,
    metadata,
    auth,
    ...timesOf(credential),
  };
}

/** One credential for each server and each variable: whoever uses the vault has to know which one is meant. */
function requireRoom(present: readonly SessionDocument[], auth: SplitAuth['shown']): void {
  if (present.length >= MAX_CREDENTIALS) {
    throw new SluiceError('invalid_request', `A vault holds at most ${MAX_CREDENTIALS} credentials`);
  }
  for (const member of ['mcp_server_url', 'secret_name']) {
    const value = auth[member];
    const isTaken = present.some(({ fields }) => (fields as unknown as CredentialFields).auth[member] === value);
    if (value === undefined || !isTaken) continue;
    throw new SluiceError('conflict', `auth.${member}: the vault has a credential for it`, { where: `auth.${member}` });
  }
}

function noSuchCredential(): SluiceError {
  return new SluiceError('not_found', 'The vault has no such credential');
}
