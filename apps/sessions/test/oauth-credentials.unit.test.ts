import { SecretBox } from '@sluice/secret-box';
import { SYSTEM_CLOCK } from '../src/clock';
import { CredentialService } from '../src/vaults/credential-service';
import { SECRETS_KEY, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

const SECRET = 'hush-hush-0815';

async function credentialsOf(vaultId: string) {
  const documents = await service.host.engine.sessionDocuments();
  const box = new SecretBox([Buffer.from(SECRETS_KEY, 'base64')]);
  return new CredentialService(documents, SYSTEM_CLOCK, box).open(1, vaultId);
}

const oauth = (endpoint: object, expiresAt = '2131-01-01T00:00:00Z') => ({
  type: 'mcp_oauth',
  mcp_server_url: 'https://oauth.example.com/',
  access_token: `${SECRET}-access`,
  expires_at: expiresAt,
  refresh: {
    client_id: 'client',
    refresh_token: `${SECRET}-refresh`,
    token_endpoint: 'https://oauth.example.com/token',
    token_endpoint_auth: endpoint,
  },
});

/** A vault with one, and what becomes of changes of it. */
async function kept(endpoint: object) {
  const { id } = await service.client.beta.vaults.create({ display_name: 'v' });
  const path = `/v1/vaults/${id}/credentials`;
  const { body: credential } = await service.request('POST', path, { auth: oauth(endpoint) });
  return {
    vaultId: id,
    change: (auth: object) =>
      service.request('POST', `${path}/${credential.id}`, { auth: { type: 'mcp_oauth', ...auth } }),
  };
}

it('takes access tokens that expire in the future only', async () => {
  const { id } = await service.client.beta.vaults.create({ display_name: 'v' });
  const past = new Date(Date.now() - 1_000).toISOString();
  const refused = await service.request('POST', `/v1/vaults/${id}/credentials`, {
    auth: oauth({ type: 'none' }, past),
  });
  expect({ status: refused.status, type: refused.body.error?.type }).toEqual({
    status: 400,
    type: 'invalid_request_error',
  });
  expect(refused.body.error.message).toContain('auth.expires_at');
  expect(refused.text).not.toContain(SECRET);
  const { change } = await kept({ type: 'none' });
  expect((await change({ expires_at: past })).status).toBe(400);
  expect((await change({ expires_at: '2132-01-01T00:00:00Z' })).status).toBe(200);
});

it('keeps the way in which its client proves itself, also when its secret is given for the other one', async () => {
  const { vaultId, change } = await kept({ type: 'client_secret_basic', client_secret: `${SECRET}-client` });
  const changed = await change({
    refresh: { token_endpoint_auth: { type: 'client_secret_post', client_secret: `${SECRET}-new` } },
  });
  expect(changed.body.auth.refresh.token_endpoint_auth).toEqual({ type: 'client_secret_basic' });
  expect((await credentialsOf(vaultId))[0]?.secrets).toMatchObject({ client_secret: `${SECRET}-new` });
  const same = await change({ refresh: { token_endpoint_auth: { type: 'client_secret_post' } } });
  expect({ status: same.status, type: same.body.auth?.refresh.token_endpoint_auth }).toEqual({
    status: 200,
    type: { type: 'client_secret_basic' },
  });
  expect((await credentialsOf(vaultId))[0]?.secrets).toMatchObject({ client_secret: `${SECRET}-new` });
});

it('takes no secret of a client that had none', async () => {
  const { vaultId, change } = await kept({ type: 'none' });
  const auth = { type: 'client_secret_basic', client_secret: `${SECRET}-client` };
  const { status, body } = await change({ refresh: { token_endpoint_auth: auth } });
  expect({ status, type: body.error?.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  expect((await credentialsOf(vaultId))[0]?.secrets).not.toHaveProperty('client_secret');
});
