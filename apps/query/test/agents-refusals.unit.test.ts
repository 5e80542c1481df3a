import { SluiceError } from '@sluice/event-log';
import { OPERATOR_KEY, range, startQuery, type QueryService } from './query-service';
import { registryEvent } from './registry-events';

const PATH = '/api/v1/agents';

describe('the doors of agents', () => {
  let service: QueryService;
  let key: string;
  beforeEach(async () => {
    service = await startQuery();
    key = await service.key(7, 'reader');
  });
  afterEach(() => service.stop());

  const get = (path = '') => service.call(`${PATH}${path}`, { key });

  it.each([
    ['limit=0', 'query.limit: must be a whole number from 1 to 100'],
    ['limit=101', 'query.limit: must be a whole number from 1 to 100'],
    ['limit=1&limit=2', 'query.limit: must be given once, as text'],
    ['chainIds=1,abc', 'query.chainIds.1: '],
    ['chainIds=', 'query.chainIds.0: '],
    ['chainId=0', 'query.chainId: '],
    [`chainIds=${range(1, 101).join()}`, 'query.chainIds: must have at most 100 items'],
    ['owner=0x12', 'query.owner: must be an address'],
    ['name=', 'query.name: must not be empty'],
    [`name=${'a'.repeat(501)}`, 'query.name: '],
    ['hasMcp=1', 'query.hasMcp: must be true or false'],
    ['active=TRUE', 'query.active: must be true or false'],
    ['skills=a%20b', 'query.skills.0: '],
    ['skills=a%00b', 'query.skills.0: '],
    ['minScore=101', 'query.minScore: must be a number from 0 to 100'],
    ['minScore=-1', 'query.minScore: must be a number from 0 to 100'],
    ['minFeedback=9999999999', 'query.minFeedback: '],
    ['sort=agentId', 'query.sort: must be one of registered, updated, score, name'],
    ['order=descending', 'query.order: must be asc or desc'],
    ['cursor=x', 'query.cursor: is not one that this list gave out'],
    ['cursor=', 'query.cursor: is not one that this list gave out'],
    [`cursor=${Buffer.from('["feedback",1]').toString('base64url')}`, 'query.cursor: is not one'],
    [`cursor=${Buffer.from('["score","asc","a",1]').toString('base64url')}`, 'query.cursor: is not one'],
    [`cursor=${Buffer.from('["name","asc","a",-1]').toString('base64url')}`, 'query.cursor: is not one'],
    ['x=1', 'query.x: is not known here'],
    ['name[]=a', 'query.name[]: is not known here'],
    ['__proto__=1', 'query.__proto__: is not known here'],
  ])('refuses ?%s by 400 in the words of that API', async (query, error) => {
    const { status, body } = await get(`?${query}`);
    expect(status).toBe(400);
    expect(body).toEqual({
      success: false,
      error: expect.stringContaining(error),
      code: 'VALIDATION_ERROR',
      requestId: expect.any(String),
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it.each([
    ['an address that cannot be decoded', '/%zz', 'URL is not validly encoded'],
    ['a part of the path that is too long', `/${'1'.repeat(600)}`, 'A part of the path is too long'],
    ['the same below it', '/%ff/events', 'URL is not validly encoded'],
  ])('refuses %s in the words of that API', async (_what, path, error) => {
    const { status, body } = await get(path);
    expect({ status, body }).toMatchObject({ status: 400, body: { success: false, error, code: 'VALIDATION_ERROR' } });
  });

  describe('who may', () => {
    const PATHS = ['', '/1:0', '/1:0/feedback', '/1:0/events'];
    beforeEach(async () => {
      await service.record(registryEvent('agent_registered', '1:0'));
    });

    it.each(PATHS)('read %s: every key, of any workspace', async (path) => {
      for (const each of [OPERATOR_KEY, await service.key(1, 'admin'), await service.key(2, 'writer'), key])
        expect((await service.call(`${PATH}${path}`, { key: each })).status).toBe(200);
    });

    it.each([...PATHS, '/1:0/nothing', '/1:0?x=1'])('not read %s: strangers and sandboxes', async (path) => {
      const sandbox = await service.token(1, 'sandbox-123');
      const answers = [
        await service.call(`${PATH}${path}`),
        await service.call(`${PATH}${path}`, { key: `sk_${'x'.repeat(43)}` }),
        await service.call(`${PATH}${path}`, { bearer: sandbox }),
      ];
      expect(answers.map(({ status, body }) => [status, body])).toEqual([
        [401, { success: false, error: 'API key required', code: 'UNAUTHORIZED' }],
        [401, { success: false, error: 'Invalid API key', code: 'UNAUTHORIZED' }],
        [401, { success: false, error: 'Invalid API key', code: 'UNAUTHORIZED' }],
      ]);
    });

    it('429 for requests that come too often', async () => {
      await service.stop();
      service = await startQuery({ SLUICE_KEY_REQUESTS_PER_SECOND: '1' });
      key = await service.key(7, 'reader');
      const answers = [];
      for (let n = 0; n < 20; n++) answers.push(await get());
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.body).toEqual({
        success: false,
        error: 'Rate limit exceeded. Please try again later.',
        code: 'RATE_LIMIT_EXCEEDED',
        requestId: expect.any(String),
        timestamp: expect.any(String),
      });
      expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    });
  });

  it.each([
    [503, 'SERVICE_UNAVAILABLE', 'Away', new SluiceError('read_model_unavailable', 'Away')],
    [500, 'INTERNAL_ERROR', 'An unexpected error occurred', new Error('secret')],
  ])('answers %d in the words of that API, and nothing of the cause', async (status, code, error, fault) => {
    await service.stop();
    service = await startQuery({ SLUICE_LOG_LEVEL: 'silent' });
    key = await service.key(7, 'reader');
    const directory = await service.host.engine.agentDirectory();
    directory.find = () => Promise.reject(fault);
    const answer = await get('/1:0');
    expect([answer.status, answer.body]).toEqual([
      status,
      { success: false, error, code, requestId: expect.any(String), timestamp: expect.any(String) },
    ]);
  });

  it('keeps turns for others while one key asks for slow lists, and says so in metrics (G9)', async () => {
    const directory = await service.host.engine.agentDirectory();
    const list = directory.list.bind(directory);
    let asked = 0;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    directory.list = async (query) => {
      asked += 1;
      if (query.sort === 'score') await ended;
      return list(query);
    };
    const slow = range(1, 11).map(() => get('?sort=score'));
    expect(await Promise.race(slow)).toMatchObject({ status: 429, body: { code: 'RATE_LIMIT_EXCEEDED' } });
    expect(asked).toBe(2);
    expect(await service.host.metrics.expose()).toContain('sluice_query_lists{state="waiting"} 8');
    const other = await service.key(8, 'reader');
    expect((await service.call(PATH, { key: other })).status).toBe(200);
    end();
    const statuses = (await Promise.all(slow)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array<number>(10).fill(200), 429]);
    const metrics = await service.host.metrics.expose();
    expect(metrics).toContain('sluice_query_lists{state="running"} 0');
    expect(metrics).toContain('sluice_query_lists_refused_total{reason="caller"} 1');
  });

  it('says by what a list is too slow, and counts it', async () => {
    const directory = await service.host.engine.agentDirectory();
    directory.list = () => Promise.reject(new SluiceError('overloaded', 'query: too slow', { where: 'query' }));
    const { status, body, headers } = await get('?name=x');
    expect([status, body.code, body.error]).toEqual([503, 'SERVICE_UNAVAILABLE', 'query: too slow']);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await service.host.metrics.expose()).toContain('sluice_query_lists_refused_total{reason="slow"} 1');
  });
});
