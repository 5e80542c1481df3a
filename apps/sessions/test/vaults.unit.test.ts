import { all, makeParts, refusalOf, SECRETS_KEY, startSessions, type SdkSessions } from './support/sdk-sessions';
import { CredentialService } from '../src/vaults/credential-service';
import { RepositoryTokens } from '../src/vaults/repository-tokens';
import { SecretBox } from '@sluice/secret-box';
import { SYSTEM_CLOCK } from '../src/clock';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

const SECRET = 'hush-hush-0815';
const bearer = (token = SECRET, url = 'https://mcp.example.com/') => ({
  type: 'static_bearer' as const,
  token,
  mcp_server_url: url,
});

/** Everything that the store holds of workspace 1, as text. */
async function stored(): Promise<string> {
  const documents = await service.host.engine.sessionDocuments();
  const lists = await Promise.all(
    (['vault', 'vault_credential', 'repository_token'] as const).map((kind) =>
      documents.list({ workspaceId: 1, kind, order: 'ascending', limit: 1_000, includeArchived: true }),
    ),
  );
  return JSON.stringify(lists);
}

async function credentialsOf(vaultId: string) {
  const documents = await service.host.engine.sessionDocuments();
  const box = new SecretBox([Buffer.from(SECRETS_KEY, 'base64')]);
  return new CredentialService(documents, SYSTEM_CLOCK, box).open(1, vaultId);
}

it('makes, changes, lists, archives and deletes vaults', async () => {
  const { vaults } = service.client.beta;
  const vault = await vaults.create({ display_name: 'keys', metadata: { a: '1' } });
  expect(vault).toEqual({
    id: expect.stringMatching(/^vlt_[0-9a-f]{32}$/),
    type: 'vault',
    display_name: 'keys',
    metadata: { a: '1' },
    archived_at: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  expect(await vaults.retrieve(vault.id)).toEqual(vault);
  const changed = await vaults.update(vault.id, { display_name: 'more keys', metadata: { a: null, b: '2' } });
  expect(changed).toMatchObject({ display_name: 'more keys', metadata: { b: '2' } });
  expect((await all(vaults.list())).map(({ id }) => id)).toContain(vault.id);
  expect(await vaults.archive(vault.id)).toMatchObject({ archived_at: expect.any(String) });
  expect((await all(vaults.list())).map(({ id }) => id)).not.toContain(vault.id);
  expect(await refusalOf(vaults.update(vault.id, { display_name: 'x' }))).toMatchObject({ status: 400 });
  expect(await vaults.delete(vault.id)).toEqual({ id: vault.id, type: 'vault_deleted' });
  expect(await refusalOf(vaults.retrieve(vault.id))).toMatchObject({ status: 404 });
});

it('never shows a secret, keeps it sealed, and can open it', async () => {
  const { vaults } = service.client.beta;
  const { id: vaultId } = await vaults.create({ display_name: 'v' });
  const { credentials } = vaults;
  const answers = [
    await credentials.create(vaultId, { auth: bearer(), display_name: 'bearer', metadata: { m: '1' } }),
    await credentials.create(vaultId, {
      auth: {
        type: 'mcp_oauth',
        mcp_server_url: 'https://oauth.example.com/',
        access_token: `${SECRET}-access`,
        expires_at: '2031-01-01T00:00:00Z',
        refresh: {
          client_id: 'client',
          refresh_token: `${SECRET}-refresh`,
          token_endpoint: 'https://oauth.example.com/token',
          token_endpoint_auth: { type: 'client_secret_basic', client_secret: `${SECRET}-client` },
          scope: 'read',
        },
      },
    }),
    await credentials.create(vaultId, {
      auth: {
        type: 'environment_variable',
        secret_name: 'API_KEY',
        secret_value: `${SECRET}-value`,
        networking: { type: 'limited', allowed_hosts: ['api.example.com'] },
      },
    }),
  ];
  const [first, oauth, variable] = answers;
  expect(first).toEqual({
    id: expect.stringMatching(/^vcrd_[0-9a-f]{32}$/),
    type: 'vault_credential',
    vault_id: vaultId,
    display_name: 'bearer',
    metadata: { m: '1' },
    auth: { type: 'static_bearer', mcp_server_url: 'https://mcp.example.com/' },
    archived_at: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  expect(oauth?.auth).toEqual({
    type: 'mcp_oauth',
    mcp_server_url: 'https://oauth.example.com/',
    expires_at: '2031-01-01T00:00:00Z',
    refresh: {
      client_id: 'client',
      token_endpoint: 'https://oauth.example.com/token',
      token_endpoint_auth: { type: 'client_secret_basic' },
      resource: null,
      scope: 'read',
    },
  });
  expect(variable?.auth).toMatchObject({ secret_name: 'API_KEY', injection_location: { body: false, header: true } });
  const listed = await all(credentials.list(vaultId));
  const read = await credentials.retrieve(first?.id ?? '', { vault_id: vaultId });
  expect(JSON.stringify([answers, listed, read])).not.toContain(SECRET);
  expect(await stored()).not.toContain(SECRET);
  const opened = await credentialsOf(vaultId);
  expect(opened.map(({ secrets }) => secrets)).toEqual(
    expect.arrayContaining([
      { token: SECRET },
      { access_token: `${SECRET}-access`, refresh_token: `${SECRET}-refresh`, client_secret: `${SECRET}-client` },
      { secret_value: `${SECRET}-value` },
    ]),
  );
});

it('changes secrets and what is shown, but not what a credential is for', async () => {
  const { vaults } = service.client.beta;
  const { id: vault_id } = await vaults.create({ display_name: 'v' });
  const { id } = await vaults.credentials.create(vault_id, { auth: bearer('before') });
  const changed = await vaults.credentials.update(id, {
    vault_id,
    auth: { type: 'static_bearer', token: 'after' },
    display_name: 'named',
  });
  expect(changed).toMatchObject({ display_name: 'named', auth: { mcp_server_url: 'https://mcp.example.com/' } });
  expect((await credentialsOf(vault_id))[0]?.secrets).toEqual({ token: 'after' });
  const kept = await vaults.credentials.update(id, { vault_id, metadata: { a: '1' } });
  expect(kept).toMatchObject({ display_name: 'named', metadata: { a: '1' } });
  expect((await credentialsOf(vault_id))[0]?.secrets).toEqual({ token: 'after' });
  const type = vaults.credentials.update(id, { vault_id, auth: { type: 'mcp_oauth', access_token: 'x' } });
  expect(await refusalOf(type)).toMatchObject({ status: 400 });
});

it('holds one credential for each server, also when two come at once, and twenty in all', async () => {
  const { vaults } = service.client.beta;
  const { id } = await vaults.create({ display_name: 'v' });
  const two = await Promise.allSettled([1, 2].map(() => vaults.credentials.create(id, { auth: bearer() })));
  expect(two.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const again = await refusalOf(vaults.credentials.create(id, { auth: bearer('other') }));
  expect(again).toMatchObject({ status: 409 });
  expect(again.headers.get('x-should-retry')).toBe('false');
  for (let index = 1; index < 20; index++) {
    await vaults.credentials.create(id, { auth: bearer('t', `https://mcp${index}.example.com/`) });
  }
  const more = vaults.credentials.create(id, { auth: bearer('t', 'https://more.example.com/') });
  expect(await refusalOf(more)).toMatchObject({ status: 400 });
});

it('removes the secrets of what is archived, and all of what is deleted', async () => {
  const { vaults } = service.client.beta;
  const { id: vault_id } = await vaults.create({ display_name: 'v' });
  const { id } = await vaults.credentials.create(vault_id, { auth: bearer() });
  const archived = await vaults.credentials.archive(id, { vault_id });
  expect(archived).toMatchObject({ archived_at: expect.any(String), auth: { type: 'static_bearer' } });
  const documents = await service.host.engine.sessionDocuments();
  const find = (name: string) => documents.find(1, 'vault_credential', name);
  expect((await find(id))?.fields['secrets']).toEqual({});
  const second = await vaults.credentials.create(vault_id, { auth: bearer() });
  await vaults.archive(vault_id);
  expect((await find(second.id))?.fields['secrets']).toEqual({});
  const third = vaults.credentials.create(vault_id, { auth: bearer() });
  expect(await refusalOf(third)).toMatchObject({ status: 400 });
  await vaults.delete(vault_id);
  expect([await find(id), await find(second.id)]).toEqual([undefined, undefined]);
  expect(await refusalOf(all(vaults.credentials.list(vault_id)))).toMatchObject({ status: 404 });
});

it('finds a credential in its own vault only', async () => {
  const { vaults } = service.client.beta;
  const [{ id: vaultId }, { id: other }] = [
    await vaults.create({ display_name: 'a' }),
    await vaults.create({ display_name: 'b' }),
  ];
  const { id } = await vaults.credentials.create(vaultId, { auth: bearer() });
  const path = { vault_id: other };
  expect(await refusalOf(vaults.credentials.retrieve(id, path))).toMatchObject({ status: 404 });
  expect(await refusalOf(vaults.credentials.update(id, { ...path, display_name: 'x' }))).toMatchObject({ status: 404 });
  expect(await refusalOf(vaults.credentials.archive(id, path))).toMatchObject({ status: 404 });
  expect(await refusalOf(vaults.credentials.delete(id, path))).toMatchObject({ status: 404 });
  expect(await vaults.credentials.delete(id, { vault_id: vaultId })).toEqual({ id, type: 'vault_credential_deleted' });
});

it.each<[string, object]>([
  ['an unknown type', { auth: { type: 'magic', token: 't' } }],
  ['no secret', { auth: { type: 'static_bearer', mcp_server_url: 'https://a.example/' } }],
  ['a host with a path', { auth: { ...variable(), networking: { type: 'limited', allowed_hosts: ['a.example/x'] } } }],
  ['no place to put it', { auth: { ...variable(), injection_location: { header: false } } }],
])('refuses a credential with %s, and says nothing of its secret', async (_, body) => {
  const { id } = await service.client.beta.vaults.create({ display_name: 'v' });
  const answer = await service.request('POST', `/v1/vaults/${id}/credentials`, body);
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain(SECRET);
});

function variable() {
  return { type: 'environment_variable', secret_name: 'A', secret_value: SECRET, networking: { type: 'unrestricted' } };
}

it('works with the older SDK', async () => {
  const { vaults } = service.oldClient.beta;
  const { id: vault_id } = await vaults.create({ display_name: 'older' });
  const { id } = await vaults.credentials.create(vault_id, { auth: bearer() });
  expect(await vaults.credentials.update(id, { vault_id, display_name: 'x' })).toMatchObject({ display_name: 'x' });
  expect(await all(vaults.credentials.list(vault_id))).toHaveLength(1);
  expect(await vaults.delete(vault_id)).toEqual({ id: vault_id, type: 'vault_deleted' });
});

it('keeps tokens of repositories sealed with their session, and removes them with it', async () => {
  const { sessions } = service.client.beta;
  const url = 'https://github.com/example/project';
  const session = await sessions.create({
    ...(await makeParts(service.client)),
    resources: [{ type: 'github_repository', url, authorization_token: `${SECRET}-repo` }],
  });
  const documents = await service.host.engine.sessionDocuments();
  const box = new SecretBox([Buffer.from(SECRETS_KEY, 'base64')]);
  const tokens = () => new RepositoryTokens(documents, SYSTEM_CLOCK, box).open(1, session.id);
  const [resource] = await all(sessions.resources.list(session.id));
  if (resource?.type !== 'github_repository') throw new Error('It has one');
  expect(await tokens()).toEqual(new Map([[resource.id, `${SECRET}-repo`]]));
  const changed = await sessions.resources.update(resource.id, {
    session_id: session.id,
    authorization_token: `${SECRET}-new`,
  });
  expect(changed).toMatchObject({ id: resource.id, type: 'github_repository', url, mount_path: '/workspace/project' });
  expect([...(await tokens()).values()]).toEqual([`${SECRET}-new`]);
  const shown = [session, changed, await sessions.retrieve(session.id), await all(sessions.resources.list(session.id))];
  expect(JSON.stringify(shown)).not.toContain(SECRET);
  expect(await stored()).not.toContain(SECRET);
  await sessions.delete(session.id);
  expect(await tokens()).toEqual(new Map());
});

describe('without a key for secrets', () => {
  let bare: SdkSessions;

  beforeAll(async () => {
    bare = await startSessions({ SLUICE_SECRETS_KEY: '' });
  });

  afterAll(() => bare.stop());

  it('refuses secrets, says why, and does everything else', async () => {
    const { vaults, sessions } = bare.client.beta;
    const { id } = await vaults.create({ display_name: 'v' });
    const refused = await refusalOf(vaults.credentials.create(id, { auth: bearer() }));
    expect(refused).toMatchObject({ status: 400, apiMessage: expect.stringContaining('SLUICE_SECRETS_KEY') });
    const parts = await makeParts(bare.client);
    const repository = { type: 'github_repository' as const, url: 'https://github.com/example/project' };
    const secret = { ...repository, authorization_token: SECRET };
    expect(await refusalOf(sessions.create({ ...parts, resources: [secret] }))).toMatchObject({ status: 400 });
    expect(await all(sessions.list())).toEqual([]);
    const session = await sessions.create({ ...parts, vault_ids: [id] });
    expect(session.vault_ids).toEqual([id]);
    const open = await bare.request('POST', `/v1/sessions/${session.id}/resources`, repository);
    expect(open.status).toBe(200);
    const update = sessions.resources.update(open.body.id, { session_id: session.id, authorization_token: SECRET });
    expect(await refusalOf(update)).toMatchObject({ status: 400 });
  });
});
