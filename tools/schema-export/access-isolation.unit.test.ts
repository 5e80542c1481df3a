import type { Presented } from './access-callers';
import { AccessProcess, nameOf, type Answer } from './access-process';
import { rightOf } from './access-rules.cjs';
import { absent, requestOf } from './access-world';
import { describedOperations, type DescribedOperation } from './described-process';

/** Ids that are no workspace's: of chains, of agents on them, and of the agents that may be run. */
const PUBLIC_IDS = ['/api/v1/agents', '/v1/chains', '/api/agents'];

/** A sandbox without events is an empty list; and a callback is refused before its run is looked for. */
const NOT_BY_404 = ['GET /events/{sandboxId}', 'POST /runtime/v1/sessions/{sessionId}/runs/{runId}/events'];

/** Shorter ids, such as the name of a member, may stand in a text by chance. */
const MIN_TELLING_LENGTH = 12;

const operations = describedOperations();
/** Not what operators alone may ask: that is of no workspace. */
const byId = operations.filter(
  (each) =>
    each.path.includes('{') &&
    !PUBLIC_IDS.some((path) => each.path.startsWith(path)) &&
    rightOf.get(nameOf(each)) !== 'operate',
);
const lists = operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'));

function named(name: string): DescribedOperation {
  const found = operations.find((operation) => nameOf(operation) === name);
  if (found === undefined) throw new Error(`${name} is not described`);
  return found;
}

describe('another workspace (G8)', () => {
  let running: AccessProcess;
  let foreign: Presented;
  let own: Presented;
  beforeAll(async () => {
    running = await AccessProcess.start();
    ({ foreign, admin: own } = running.callers.good);
  });
  afterAll(() => running.stop());

  /** Those that the path of an operation has. */
  function ids({ path }: DescribedOperation): readonly string[] {
    const all = running.world.idsOf(path);
    return [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = '']) => all[name] ?? []);
  }

  /** Of its own workspace: none is named. */
  function ask(operation: DescribedOperation, presented: Presented, change?: (id: string) => string): Promise<Answer> {
    return running.ask(operation, { ...requestOf(operation, running.world, change), query: '' }, presented);
  }

  /** What tells one answer from another: not the id that was asked for, nor which request it was. */
  function said(operation: DescribedOperation, { status, text }: Answer): string {
    const blind = ids(operation).reduce((rest, id) => rest.replaceAll(id, 'ID').replaceAll(absent(id), 'ID'), text);
    return `${status} ${blind.replaceAll(/"request_?id":"[^"]*"/gi, '"requestId":""')}`;
  }

  it('answers to the ids of another workspace what it answers to ids that do not exist, and changes nothing', async () => {
    const reading = byId.filter(({ method }) => method === 'GET');
    const seen = async () =>
      Promise.all(reading.map(async (each) => [nameOf(each), (await ask(each, own)).status] as const));
    const before = await seen();
    expect(before.filter(([, status]) => status !== 200)).toEqual([]);
    const otherwise: string[] = [];
    for (const operation of byId) {
      const there = said(operation, await ask(operation, foreign));
      const nowhere = said(operation, await ask(operation, foreign, absent));
      expect([nameOf(operation), there]).toEqual([nameOf(operation), nowhere]);
      if (!nowhere.startsWith('404 ')) otherwise.push(nameOf(operation));
    }
    expect(otherwise).toEqual(NOT_BY_404);
    expect(await seen()).toEqual(before);
  });

  it('lists nothing of another workspace', async () => {
    const ofWorkspace = byId.flatMap(ids).filter((id) => id.length >= MIN_TELLING_LENGTH);
    const shown: string[] = [];
    for (const operation of lists) {
      const { text } = await ask(operation, foreign);
      shown.push(...ofWorkspace.filter((id) => text.includes(id)).map((id) => `${nameOf(operation)}: ${id}`));
    }
    expect(shown).toEqual([]);
    // The same question, asked by those to whom they belong, is answered with them.
    const { text } = await ask(named('GET /v1/vaults'), own);
    expect(ofWorkspace.some((id) => text.includes(id))).toBe(true);
  });

  it('takes no part of another workspace into what is its own', async () => {
    const create = named('POST /v1/sessions');
    const { agentId, environmentId } = running.world.created;
    const answerWith = (agent: string, environment: string) =>
      running.ask(create, { path: create.path, query: '', body: { agent, environment_id: environment } }, foreign);
    const there = said(create, await answerWith(agentId, environmentId));
    const nowhere = said(create, await answerWith(absent(agentId), absent(environmentId)));
    expect(there).toMatch(/^404 /);
    expect(there.replaceAll(agentId, 'ID')).toBe(nowhere.replaceAll(absent(agentId), 'ID'));
  });
});
