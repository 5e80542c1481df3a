import { z } from 'zod';
import { idField } from '../sessions/session-params';
import { createVaultBody, updateVaultBody, vaultView, type VaultService } from '../vaults/vault-service';
import { archivablePageFields, partOf, toPage } from './document-pages';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';

const tag = 'vaults';
const path = '/v1/vaults/{vaultId}';
const params = z.object({ vaultId: idField });
const vaultSchema = z.looseObject({ id: z.string(), type: z.literal('vault'), display_name: z.string() });
const refusals = { 404: 'There is no such vault.' } as const;

export const vaultRoutes = {
  create: defineSdkRoute({
    method: 'POST',
    path: '/v1/vaults',
    tag,
    summary: 'Make a vault',
    body: createVaultBody,
    answer: vaultSchema,
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/vaults',
    tag,
    summary: 'List vaults, the newest first',
    query: archivablePageFields,
    answer: pageOf(vaultSchema),
  }),
  get: defineSdkRoute({ method: 'GET', path, tag, summary: 'Read a vault', params, answer: vaultSchema, refusals }),
  update: defineSdkRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Change a vault',
    description: 'What is not given stays. In `metadata` null removes a key.',
    params,
    body: updateVaultBody,
    answer: vaultSchema,
    refusals,
    takesKey: false,
  }),
  delete: defineSdkRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Delete a vault with its credentials',
    params,
    answer: z.object({ id: z.string(), type: z.literal('vault_deleted') }),
    refusals,
    takesKey: false,
  }),
  archive: defineSdkRoute({
    method: 'POST',
    path: `${path}/archive`,
    tag,
    summary: 'Archive a vault with its credentials',
    description: 'Their secrets are removed. No more sessions can have it.',
    params,
    answer: vaultSchema,
    refusals,
    takesKey: false,
  }),
};

const LIST = 'vaults';

export function openVaults(door: SdkDoor, service: VaultService): void {
  door.on(vaultRoutes.create, async ({ workspaceId, body, repetition }) =>
    vaultView(await service.create(workspaceId, body, repetition)),
  );
  door.on(vaultRoutes.list, async ({ workspaceId, query }) =>
    toPage(LIST, await service.list(workspaceId, partOf(LIST, query)), vaultView),
  );
  door.on(vaultRoutes.get, async ({ workspaceId, params: { vaultId } }) =>
    vaultView(await service.get(workspaceId, vaultId)),
  );
  door.on(vaultRoutes.update, async ({ workspaceId, params: { vaultId }, body }) =>
    vaultView(await service.update(workspaceId, vaultId, body)),
  );
  door.on(vaultRoutes.delete, async ({ workspaceId, params: { vaultId } }) => {
    await service.delete(workspaceId, vaultId);
    return { id: vaultId, type: 'vault_deleted' };
  });
  door.on(vaultRoutes.archive, async ({ workspaceId, params: { vaultId } }) =>
    vaultView(await service.archive(workspaceId, vaultId)),
  );
}
