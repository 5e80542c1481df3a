import type { Anthropic } from '@anthropic-ai/sdk';
import { all, makeParts, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;
let parts: { agent: string; environment_id: string };

beforeAll(async () => {
  service = await startSessions();
  parts = await makeParts(service.client);
});

afterAll(() => service.stop());

const repository = (name: string) => ({
  type: 'github_repository' as const,
  url: `https://github.com/example/${name}`,
});

const idOf = (resource: object) => ('id' in resource ? String(resource.id) : '');

it('lists every resource of a session, in pages of any size, and goes on when one is taken away', async () => {
  const { sessions } = service.client.beta;
  const { id, resources } = await sessions.create({
    ...parts,
    resources: Array.from({ length: 5 }, (_, index) => repository(`r${index}`)),
  });
  const { body: added } = await service.request('POST', `/v1/sessions/${id}/resources`, repository('later'));
  const ids = [...resources, added].map(idOf);
  for (const limit of [1, 2, 4, 5]) {
    expect((await all(sessions.resources.list(id, { limit }))).map(idOf)).toEqual(ids);
  }
  expect((await sessions.resources.list(id, { limit: 6 })).next_page).toBeNull();
  const first = await sessions.resources.list(id, { limit: 2 });
  for (const gone of [ids[0], ids[1]]) await sessions.resources.delete(gone ?? '', { session_id: id });
  const second = await sessions.resources.list(id, { limit: 2, page: first.next_page ?? '' });
  expect(second.data.map(idOf)).toEqual(ids.slice(2, 4));
});

it('refuses a page that no list gave, in every list', async () => {
  const { id } = await service.client.beta.sessions.create(parts);
  const { id: vaultId } = await service.client.beta.vaults.create({ display_name: 'v' });
  const forged = (of: string, ...place: unknown[]) =>
    `page_${Buffer.from(JSON.stringify([of, ...place])).toString('base64url')}`;
  for (const path of [
    '/v1/agents',
    `/v1/agents/${parts.agent}/versions`,
    '/v1/environments',
    '/v1/vaults',
    `/v1/vaults/${vaultId}/credentials`,
    '/v1/files',
    '/v1/sessions',
    '/v1/sessions?memory_store_id=memstore_1&',
    `/v1/sessions/${id}/events`,
    `/v1/sessions/${id}/threads`,
    `/v1/sessions/${id}/resources`,
    '/runtime/v1/engines',
  ]) {
    for (const page of ['page_xyz', 'xyz', forged('other', 'd', 1, 'x'), forged('threads', 'a', 'x', 1)]) {
      const { status, body } = await service.request('GET', `${path}${path.includes('?') ? '' : '?'}page=${page}`);
      expect({ path, page, status, type: body.error?.type }).toEqual({
        path,
        page,
        status: 400,
        type: 'invalid_request_error',
      });
    }
  }
});

describe('pages of sessions', () => {
  let sessions: Anthropic.Beta.Sessions;
  let made: readonly string[];

  beforeAll(async () => {
    const client = service.clientOf(await service.key(71));
    const own = await makeParts(client);
    ({ sessions } = client.beta);
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push((await sessions.create({ ...own, title: `s${index}` })).id);
    made = ids;
  });

  it.each(['desc', 'asc'] as const)('can be turned back, in the order %s', async (order) => {
    const listed = (await all(sessions.list({ order }))).map(({ id }) => id);
    expect(new Set(listed)).toEqual(new Set(made));
    const read = async (page?: string | null) => {
      const answer = await sessions.list({ order, limit: 2, ...(page != null && { page }) });
      return { ids: answer.data.map(({ id }) => id), next: answer.next_page, previous: answer.prev_page };
    };
    const first = await read();
    expect([first.ids, first.previous]).toEqual([listed.slice(0, 2), null]);
    const second = await read(first.next);
    expect(second.ids).toEqual(listed.slice(2, 4));
    const third = await read(second.next);
    expect([third.ids, third.next]).toEqual([listed.slice(4), null]);
    const secondAgain = await read(third.previous);
    expect(secondAgain).toEqual(second);
    const firstAgain = await read(secondAgain.previous);
    expect(firstAgain).toEqual(first);
    expect((await read(firstAgain.next)).ids).toEqual(second.ids);
  });

  it('are refused backwards in the other order, and keep to the filters', async () => {
    const first = await sessions.list({ limit: 2 });
    const second = await sessions.list({ limit: 2, page: first.next_page ?? '' });
    const page = second.prev_page ?? '';
    await expect(sessions.list({ limit: 2, order: 'asc', page })).rejects.toMatchObject({ status: 400 });
    expect((await sessions.list({ limit: 2, page, statuses: ['terminated'] })).data).toEqual([]);
    expect((await sessions.list({ limit: 1, page })).data.map(({ id }) => id)).toEqual([first.data[1]?.id]);
  });
});

it('looks at the version of an agent only where the agent is named', async () => {
  const client = service.clientOf(await service.key(72));
  const own = await makeParts(client);
  const { id } = await client.beta.sessions.create(own);
  const ids = async (query: Anthropic.Beta.Sessions.SessionListParams) =>
    (await all(client.beta.sessions.list(query))).map((session) => session.id);
  expect(await ids({ agent_version: 9 })).toEqual([id]);
  expect(await ids({ agent_id: own.agent, agent_version: 9 })).toEqual([]);
  expect(await ids({ agent_id: own.agent, agent_version: 1 })).toEqual([id]);
});
