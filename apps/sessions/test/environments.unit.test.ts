import { NotFoundError } from '@anthropic-ai/sdk';
import { all, makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions();
});

afterAll(() => service.stop());

const NO_PACKAGES = { type: 'packages', apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] };

it('makes an environment with every member that the SDK knows', async () => {
  const { environments } = service.client.beta;
  const environment = await environments.create({ name: 'plain' });
  expect(environment).toEqual({
    id: expect.stringMatching(/^env_[0-9a-f]{32}$/),
    type: 'environment',
    name: 'plain',
    description: null,
    config: { type: 'cloud', networking: { type: 'unrestricted' }, packages: NO_PACKAGES },
    metadata: {},
    archived_at: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  expect(await environments.retrieve(environment.id)).toEqual(environment);
  const own = await environments.create({ name: 'own', config: { type: 'self_hosted' }, scope: 'account' });
  expect(own).toMatchObject({ config: { type: 'self_hosted' }, scope: 'account' });
});

it('changes what is given and leaves the rest', async () => {
  const { environments } = service.client.beta;
  const { id } = await environments.create({
    name: 'before',
    description: 'd',
    config: {
      type: 'cloud',
      networking: { type: 'limited', allow_package_managers: true, allowed_hosts: ['example.com'] },
      packages: { pip: ['pandas'] },
    },
    metadata: { a: '1', b: '2' },
  });
  const changed = await environments.update(id, {
    name: 'after',
    config: { type: 'cloud', networking: { type: 'limited', allow_mcp_servers: true } },
    metadata: { a: null },
  });
  expect(changed).toMatchObject({
    name: 'after',
    description: 'd',
    metadata: { b: '2' },
    config: {
      networking: {
        type: 'limited',
        allow_mcp_servers: true,
        allow_package_managers: true,
        allowed_hosts: ['example.com'],
      },
      packages: { pip: ['pandas'], npm: [] },
    },
  });
  expect(changed.metadata).toEqual({ b: '2' });
  expect(await environments.update(id, { description: null })).toMatchObject({ description: null });
});

it('refuses a change of the type, packages that cannot be fetched, and too much metadata, by codes of the SDK', async () => {
  const { environments } = service.client.beta;
  const { id } = await environments.create({ name: 'e', metadata: { first: '' } });
  const type = await refusalOf(environments.update(id, { config: { type: 'self_hosted' } }));
  expect(type).toMatchObject({ status: 400, errorCode: 'invalid_config_type_change' });
  const networking = { type: 'limited' as const };
  const packages = await refusalOf(
    environments.create({ name: 'e', config: { type: 'cloud', networking, packages: { npm: ['left-pad'] } } }),
  );
  expect(packages).toMatchObject({ status: 400 });
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`k${at}`, '']));
  const patch = await refusalOf(environments.update(id, { metadata }));
  expect(patch).toMatchObject({ status: 400, errorCode: 'invalid_metadata' });
});

it('archives an environment: no more sessions are made in it, and those that are there go on', async () => {
  const { environments, sessions } = service.client.beta;
  const parts = await makeParts(service.client);
  const session = await sessions.create(parts);
  const archived = await environments.archive(parts.environment_id);
  expect(archived.archived_at).toEqual(expect.any(String));
  expect(await environments.archive(parts.environment_id)).toEqual(archived);
  expect(await refusalOf(sessions.create(parts))).toMatchObject({ status: 400, errorCode: 'environment_archived' });
  const update = await refusalOf(environments.update(parts.environment_id, { name: 'x' }));
  expect(update).toMatchObject({ status: 400, errorCode: 'environment_archived' });
  expect((await all(environments.list())).map(({ id }) => id)).not.toContain(parts.environment_id);
  const sent = await sessions.events.send(session.id, {
    events: [{ type: 'user.message', content: [{ type: 'text', text: 'still there?' }] }],
  });
  expect(sent.data).toHaveLength(1);
});

it('deletes an environment, also one that sessions have', async () => {
  const { environments, sessions } = service.client.beta;
  const parts = await makeParts(service.client);
  const session = await sessions.create(parts);
  const id = parts.environment_id;
  expect(await environments.delete(id)).toEqual({ id, type: 'environment_deleted' });
  const gone = await refusalOf(environments.retrieve(id));
  expect(gone).toBeInstanceOf(NotFoundError);
  expect(gone).toMatchObject({ errorCode: 'environment_not_found' });
  expect(await refusalOf(environments.delete(id))).toMatchObject({ status: 404 });
  expect(await refusalOf(sessions.create(parts))).toMatchObject({ status: 404, errorCode: 'environment_not_found' });
  expect(await sessions.retrieve(session.id)).toMatchObject({ environment_id: id });
});

it('lists in pages, with the older SDK too', async () => {
  const key = await service.key(41);
  const { environments } = service.clientOf(key).beta;
  for (let index = 0; index < 5; index++) await environments.create({ name: `e${index}` });
  expect(await all(environments.list({ limit: 2 }))).toHaveLength(5);
  const { environments: old } = service.oldClient.beta;
  const { id } = await old.create({ name: 'older', config: { type: 'cloud' } });
  expect(await old.archive(id)).toMatchObject({ id });
  expect(await old.delete(id)).toEqual({ id, type: 'environment_deleted' });
});
