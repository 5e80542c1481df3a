import { z } from 'zod';
import { idField } from '../sessions/session-params';
import {
  createCredentialBody,
  credentialView,
  updateCredentialBody,
  type CredentialService,
} from '../vaults/credential-service';
import { archivablePageFields, partOf, toPage } from './document-pages';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';

const tag = 'vaults';
const ofVault = { tag, path: '/v1/vaults/{vaultId}/credentials', params: z.object({ vaultId: idField }) } as const;
const params = ofVault.params.extend({ credentialId: idField });
const path = `${ofVault.path}/{credentialId}`;
const credentialSchema = z.looseObject({
  id: z.string(),
  type: z.literal('vault_credential'),
  vault_id: z.string(),
  auth: z.looseObject({ type: z.string() }),
});
const refusals = { 404: 'There is no such vault, or it has no such credential.' } as const;

export const credentialRoutes = {
  create: defineSdkRoute({
    ...ofVault,
    method: 'POST',
    summary: 'Put a credential into a vault',
    description: 'Its secrets are kept encrypted and never shown. Refused where no key for that is set.',
    body: createCredentialBody,
    answer: credentialSchema,
    refusals: { ...refusals, 409: 'The vault has a credential for the same server or variable.' },
  }),
  list: defineSdkRoute({
    ...ofVault,
    method: 'GET',
    summary: 'List the credentials of a vault, the newest first',
    query: archivablePageFields,
    answer: pageOf(credentialSchema),
    refusals,
  }),
  get: defineSdkRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read a credential',
    params,
    answer: credentialSchema,
    refusals,
  }),
  update: defineSdkRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Change a credential',
    description: 'What is not given stays; its type, its server and its variable do not change.',
    params,
    body: updateCredentialBody,
    answer: credentialSchema,
    refusals,
    takesKey: false,
  }),
  delete: defineSdkRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Delete a credential',
    params,
    answer: z.object({ id: z.string(), type: z.literal('vault_credential_deleted') }),
    refusals,
    takesKey: false,
  }),
  archive: defineSdkRoute({
    method: 'POST',
    path: `${path}/archive`,
    tag,
    summary: 'Archive a credential',
    description: 'Its secrets are removed.',
    params,
    answer: credentialSchema,
    refusals,
    takesKey: false,
  }),
};

const LIST = 'credentials';

export function openCredentials(door: SdkDoor, service: CredentialService): void {
  door.on(credentialRoutes.create, async ({ workspaceId, params: { vaultId }, body, repetition }) =>
    credentialView(await service.create(workspaceId, vaultId, body, repetition)),
  );
  door.on(credentialRoutes.list, async ({ workspaceId, params: { vaultId }, query }) =>
    toPage(LIST, await service.list(workspaceId, vaultId, partOf(LIST, query)), credentialView),
  );
  door.on(credentialRoutes.get, async ({ workspaceId, params: { vaultId, credentialId } }) =>
    credentialView(await service.get(workspaceId, vaultId, credentialId)),
  );
  door.on(credentialRoutes.update, async ({ workspaceId, params: { vaultId, credentialId }, body }) =>
    credentialView(await service.update(workspaceId, vaultId, credentialId, body)),
  );
  door.on(credentialRoutes.delete, async ({ workspaceId, params: { vaultId, credentialId } }) => {
    await service.delete(workspaceId, vaultId, credentialId);
    return { id: credentialId, type: 'vault_credential_deleted' };
  });
  door.on(credentialRoutes.archive, async ({ workspaceId, params: { vaultId, credentialId } }) =>
    credentialView(await service.archive(workspaceId, vaultId, credentialId)),
  );
}
