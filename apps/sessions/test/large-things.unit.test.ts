import type { Json } from '@sluice/engine/conformance';
import { message, startSessions, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
beforeAll(async () => {
  app = await startSessions();
});
afterAll(() => app.stop());

const KIB = 1_024;
const MIB = 1_024 * KIB;
const tool = (bytes: number) => ({
  type: 'custom',
  name: 'large',
  description: 'd',
  input_schema: { type: 'object', properties: { text: { const: 'x'.repeat(bytes) } } },
});
const agent = (bytes: number) => ({ name: 'a', model: 'm', tools: [tool(bytes)] });
const tooLarge = { status: 413, type: 'request_too_large' };
const refusal = async (method: string, path: string, json: object) => {
  const { status, body } = await app.call(method, path, json);
  return { status, type: body.error?.type as string };
};

/** All pages of a list, by ids. */
async function pagesOf(path: string): Promise<{ readonly ids: readonly string[]; readonly bytes: number }[]> {
  const pages = [];
  for (let page = ''; ;) {
    const { body, text } = await app.call('GET', `${path}${page}`);
    pages.push({ ids: body.data.map(({ id, version }: Json) => `${id}/${version ?? ''}`), bytes: text.length });
    if (body.next_page === null) return pages;
    page = `&page=${body.next_page}`;
  }
}

describe('what is too large', () => {
  it('is no agent, and no version of one', async () => {
    expect(await refusal('POST', '/v1/agents', agent(MIB))).toEqual(tooLarge);
    const { body } = await app.call('POST', '/v1/agents', agent(900 * KIB));
    expect(await refusal('POST', `/v1/agents/${body.id}`, agent(MIB))).toEqual(tooLarge);
    expect((await app.call('GET', `/v1/agents/${body.id}`)).body.version).toBe(1);
  });

  it('is no environment and no vault', async () => {
    const packages = { pip: ['x'.repeat(MIB)] };
    const config = { type: 'cloud', packages };
    expect((await refusal('POST', '/v1/environments', { name: 'e', config })).status).toBeGreaterThanOrEqual(400);
  });

  it('is no session, as it is made or as it becomes', async () => {
    const parts = await Promise.all([
      app.call('POST', '/v1/agents', agent(900 * KIB)),
      app.call('POST', '/v1/environments', { name: 'e' }),
    ]);
    const [agentId, environmentId] = parts.map(({ body }) => body.id as string);
    const overridden = { type: 'agent_with_overrides', id: agentId, tools: [tool(3 * MIB)] };
    const before = (await app.call('GET', '/v1/sessions')).body.data.length;
    expect(await refusal('POST', '/v1/sessions', { agent: overridden, environment_id: environmentId })).toEqual(
      tooLarge,
    );
    expect((await app.call('GET', '/v1/sessions')).body.data).toHaveLength(before);
    const made = await app.call('POST', '/v1/sessions', { agent: agentId, environment_id: environmentId });
    expect(made.status).toBe(200);
    const path = `/v1/sessions/${made.body.id}`;
    expect(await refusal('POST', path, { agent: { tools: [tool(3 * MIB)] } })).toEqual(tooLarge);
    const checkout = { type: 'branch', name: 'x'.repeat(2 * MIB) };
    const repository = { type: 'github_repository', url: 'https://github.com/a/b', checkout };
    expect(await refusal('POST', `${path}/resources`, repository)).toEqual(tooLarge);
    const { agent: present, resources } = (await app.call('GET', path)).body;
    expect({ agent: present, resources }).toEqual({ agent: made.body.agent, resources: [] });
  });
});

describe('a list of large things', () => {
  it('comes in short pages of documents', async () => {
    const { body } = await app.call('POST', '/v1/agents', agent(900 * KIB));
    for (let n = 1; n < 12; n++) await app.call('POST', `/v1/agents/${body.id}`, { description: `${n}` });
    const pages = await pagesOf(`/v1/agents/${body.id}/versions?limit=1000`);
    expect(pages.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 12 }, (_, n) => `${body.id}/${12 - n}`));
    expect(pages.map(({ ids }) => ids.length)).toEqual([9, 3]);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(9 * MIB);
  });

  it('comes in short pages of sessions', async () => {
    const made: string[] = [];
    for (let n = 0; n < 12; n++) made.push(await app.session(undefined, { system: 'x'.repeat(900 * KIB) }));
    const pages = await pagesOf('/v1/sessions?limit=12');
    expect(pages.flatMap(({ ids }) => ids).slice(0, 12)).toEqual(made.map((id) => `${id}/`).reverse());
    expect(pages[0]?.ids.length).toBeLessThan(12);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(9 * MIB);
  });

  it('comes in short pages of events', async () => {
    const session = await app.session();
    for (let n = 0; n < 40; n++) expect((await app.send(session, message('x'.repeat(250 * KIB)))).status).toBe(200);
    const pages = await pagesOf(`/v1/sessions/${session}/events?limit=1000&types[]=user.message`);
    expect(new Set(pages.flatMap(({ ids }) => ids)).size).toBe(40);
    expect(pages.length).toBeGreaterThan(1);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(9 * MIB);
  });
});
