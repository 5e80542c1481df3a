import type { ListSessionDocuments, SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import type { Clock } from '../clock';
import { metadataField, metadataPatchField, patchMetadata } from '../documents/metadata';
import { Shelf, timesOf, type DocumentPage } from '../documents/shelf';
import type { Repetition } from '../http/sdk-door';
import type { CredentialService } from './credential-service';

const nameField = z.string().min(1).max(255);

/** The body of `POST /v1/vaults`. */
export const createVaultBody = z.strictObject({ display_name: nameField, metadata: metadataField.optional() });

/** The body of `POST /v1/vaults/{id}`: what is not there stays. */
export const updateVaultBody = z.strictObject({
  display_name: nameField.nullish(),
  metadata: metadataPatchField.optional(),
});

interface VaultFields {
  readonly display_name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Vaults, which hold credentials. */
export class VaultService {
  private readonly vaults: Shelf;

  constructor(
    documents: SessionDocuments,
    clock: Clock,
    private readonly credentials: CredentialService,
  ) {
    this.vaults = new Shelf(documents, clock, { kind: 'vault', prefix: 'vlt', missing: noSuchVault });
  }

  create(
    workspaceId: number,
    body: z.output<typeof createVaultBody>,
    repetition: Repetition,
  ): Promise<SessionDocument> {
    const fields: VaultFields = { display_name: body.display_name, metadata: body.metadata ?? {} };
    return this.vaults.create(this.vaults.draft(workspaceId, { ...fields }, { repetition }));
  }

  get(workspaceId: number, id: string): Promise<SessionDocument> {
    return this.vaults.require(workspaceId, id);
  }

  update(workspaceId: number, id: string, body: z.output<typeof updateVaultBody>): Promise<SessionDocument> {
    return this.vaults.change(workspaceId, id, (before) => {
      if (before.archivedAtMs !== null) throw new SluiceError('invalid_request', 'The vault is archived');
      const present = before.fields as unknown as VaultFields;
      const fields: VaultFields = {
        display_name: body.display_name ?? present.display_name,
        metadata: patchMetadata(present.metadata, body.metadata),
      };
      return { fields: { ...fields } };
    });
  }

  /** Its credentials are archived with it: their secrets are gone. Idempotent. */
  async archive(workspaceId: number, id: string): Promise<SessionDocument> {
    const vault = await this.archived(workspaceId, id);
    await this.credentials.archiveAll(workspaceId, id);
    return vault;
  }

  /** Its credentials go with it. Archived first, so that it gets no more of them meanwhile. */
  async delete(workspaceId: number, id: string): Promise<void> {
    await this.archived(workspaceId, id);
    await this.credentials.deleteAll(workspaceId, id);
    await this.vaults.remove(workspaceId, id);
  }

  list(workspaceId: number, part: Omit<ListSessionDocuments, 'workspaceId' | 'kind'>): Promise<DocumentPage> {
    return this.vaults.page({ workspaceId, ...part });
  }

  private archived(workspaceId: number, id: string): Promise<SessionDocument> {
    return this.vaults.change(workspaceId, id, ({ archivedAtMs }) =>
      archivedAtMs === null ? { archived: true } : undefined,
    );
  }
}

/** A vault in the form of the SDK. */
export function vaultView(vault: SessionDocument) {
  const { display_name, metadata } = vault.fields as unknown as VaultFields;
  return { id: vault.id, type: 'vault' as const, display_name, metadata, ...timesOf(vault) };
}

export function noSuchVault(): SluiceError {
  return new SluiceError('not_found', 'There is no such vault');
}
