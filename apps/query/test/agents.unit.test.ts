import { SAMPLE_FEEDBACK, SAMPLE_REGISTRATION } from '@sluice/event-schema/conformance';
import { range, sandboxEvent, startQuery, type Json, type QueryService } from './query-service';
import { registryEvent } from './registry-events';

const PATH = '/api/v1/agents';
const ISO = '2023-11-14T22:13:20.000Z';

describe('/api/v1/agents', () => {
  let service: QueryService;
  let key: string;
  beforeEach(async () => {
    service = await startQuery();
    key = await service.key(7, 'reader');
  });
  afterEach(() => service.stop());

  const get = (path = '') => service.call(`${PATH}${path}`, { key });
  const idsOf = ({ body }: { body: Json }) => body.data.map(({ agentId }: Json) => agentId);

  const described = (agentId: string, name: string) =>
    registryEvent('agent_registered', agentId, {
      name,
      hasMcp: false,
      hasA2a: false,
      registration: { file: { name, services: [], supportedTrust: [], declaredSkills: [], declaredDomains: [] } },
    });
  const rated = (agentId: string, newScore: number, feedbackCount = 1) =>
    registryEvent('reputation_change', agentId, { newScore, feedbackCount });

  describe('GET /', () => {
    it('shows what is known of an agent, from its events', async () => {
      await service.record(
        registryEvent('agent_registered', '11155111:0', { registration: { ...SAMPLE_REGISTRATION, error: undefined } }),
        registryEvent('reachability_update', '11155111:0', { mcpReachable: true, a2aReachable: false }),
        registryEvent('classification_complete', '11155111:0'),
        registryEvent('reputation_change', '11155111:0', {
          newScore: 84.5,
          feedbackCount: 2,
          feedback: SAMPLE_FEEDBACK,
        }),
      );
      const { status, headers, body } = await get();
      expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      const { file, uri, wallet, metadata } = SAMPLE_REGISTRATION;
      const {
        declaredSkills: _skills,
        declaredDomains: _domains,
        updatedAt: _updated,
        ...known
      } = file ?? { name: '' };
      expect(body).toEqual({
        success: true,
        data: [
          {
            agentId: '11155111:0',
            chainId: 11155111,
            tokenId: '0',
            owner: `0x${'ab'.repeat(20)}`,
            uri,
            wallet,
            metadata,
            ...known,
            hasMcp: true,
            hasA2a: false,
            mcpReachable: true,
            a2aReachable: false,
            reachabilityCheckedAt: ISO,
            skills: [{ slug: 'code_generation', name: 'Code Generation' }],
            domains: [{ slug: 'technology', name: 'Technology' }],
            classificationConfidence: 0.95,
            score: 84.5,
            feedbackCount: 2,
            registeredAt: ISO,
            updatedAt: ISO,
          },
        ],
        meta: { limit: 20, hasMore: false },
      });
      expect((await get('/11155111:0')).body).toEqual({ success: true, data: body.data[0] });
    });

    it('shows an agent of which nothing is known yet', async () => {
      await service.record(registryEvent('agent_registered', '1:5', { name: 'Agent #5', hasMcp: false }));
      expect((await get()).body.data).toEqual([
        {
          agentId: '1:5',
          chainId: 1,
          tokenId: '5',
          owner: `0x${'ab'.repeat(20)}`,
          name: 'Agent #5',
          services: [],
          supportedTrust: [],
          hasMcp: false,
          hasA2a: false,
          mcpReachable: null,
          a2aReachable: null,
          skills: [],
          domains: [],
          score: null,
          feedbackCount: 0,
          metadata: {},
          registeredAt: ISO,
          updatedAt: ISO,
        },
      ]);
    });

    it('answers an empty page where there is nothing', async () => {
      await service.record(sandboxEvent());
      expect((await get()).body).toEqual({ success: true, data: [], meta: { limit: 20, hasMore: false } });
    });

    describe('with agents', () => {
      const OTHER = `0x${'cd'.repeat(20)}`;
      beforeEach(async () => {
        const classes = (slug: string) => [{ slug, name: slug }];
        await service.record(
          described('1:0', 'Alpha'),
          described('1:2', 'beta, the second'),
          described('10:1', 'Gamma'),
          registryEvent('agent_registered', '84532:7', { name: 'delta', hasMcp: true, owner: OTHER }),
          registryEvent('reachability_update', '84532:7', { mcpReachable: true, a2aReachable: false }),
          registryEvent('classification_complete', '1:0', { skills: classes('audio'), domains: classes('legal') }),
          registryEvent('classification_complete', '10:1', { skills: classes('multi_modal'), domains: [] }),
          registryEvent('agent_updated', '1:2', {
            changes: ['active'],
            registration: {
              file: {
                name: 'beta, the second',
                active: true,
                a2aEndpoint: 'https://a.example',
                services: [],
                supportedTrust: [],
                declaredSkills: [],
                declaredDomains: [],
              },
            },
          }),
          rated('1:0', 50),
          rated('1:2', 90.5, 3),
        );
      });

      it.each([
        ['', ['84532:7', '10:1', '1:2', '1:0']],
        ['?order=asc', ['1:0', '1:2', '10:1', '84532:7']],
        ['?sort=updated', ['1:2', '1:0', '10:1', '84532:7']],
        ['?sort=name', ['1:0', '1:2', '84532:7', '10:1']],
        ['?sort=name&order=desc', ['10:1', '84532:7', '1:2', '1:0']],
        ['?sort=score', ['1:2', '1:0', '84532:7', '10:1']],
        ['?sort=score&order=asc', ['1:0', '1:2', '10:1', '84532:7']],
        ['?chainId=1', ['1:2', '1:0']],
        ['?chainIds=1,10', ['10:1', '1:2', '1:0']],
        ['?chainIds=1&chainIds=10', ['10:1', '1:2', '1:0']],
        ['?chainIds[]=1&chainIds%5B%5D=84532', ['84532:7', '1:2', '1:0']],
        ['?chainIds[]=10', ['10:1']],
        ['?chainId=10&chainIds=84532', ['84532:7', '10:1']],
        [`?owner=${OTHER.toUpperCase().replace('X', 'x')}`, ['84532:7']],
        ['?name=TA', ['84532:7', '1:2']],
        ['?name=beta%2C%20the', ['1:2']],
        ['?name=%25', []],
        ['?hasMcp=true', ['84532:7']],
        ['?hasMcp=false', ['10:1', '1:2', '1:0']],
        ['?hasA2a=true', ['1:2']],
        ['?mcpReachable=true', ['84532:7']],
        ['?a2aReachable=false', ['84532:7']],
        ['?active=true', ['1:2']],
        ['?skills=audio', ['1:0']],
        ['?skills=audio,%20multi_modal', ['10:1', '1:0']],
        ['?skills[]=audio&skills[]=energy', ['1:0']],
        ['?domains=legal', ['1:0']],
        ['?skills=multi_modal&domains=legal', []],
        ['?minScore=50', ['1:2', '1:0']],
        ['?minScore=50.5', ['1:2']],
        ['?maxScore=50', ['1:0']],
        ['?minFeedback=2', ['1:2']],
        ['?chainId=1&minScore=60&active=true', ['1:2']],
      ])('lists by "%s"', async (query, expected) => {
        expect(idsOf(await get(query))).toEqual(expected);
      });

      it.each([
        'sort=registered',
        'sort=registered&order=asc',
        'sort=updated',
        'sort=name',
        'sort=name&order=desc',
        'sort=score',
        'sort=score&order=asc',
        'chainIds=1,84532',
      ])('pages to the end by "%s", every agent once', async (query) => {
        const all = idsOf(await get(`?${query}`));
        for (const limit of [1, 3]) {
          const seen: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await get(`?${query}&limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
            seen.push(...idsOf(page));
            const { meta } = page.body;
            expect(meta).toEqual({
              limit,
              hasMore: seen.length < all.length,
              ...(meta.hasMore && { nextCursor: expect.any(String) }),
            });
            cursor = meta.nextCursor;
          } while (cursor !== undefined);
          expect(seen).toEqual(all);
        }
      });

      it('takes the cursor of a list in the same order alone', async () => {
        const { nextCursor } = (await get('?sort=score&limit=1')).body.meta;
        expect((await get(`?sort=score&limit=1&cursor=${nextCursor}`)).status).toBe(200);
        for (const query of ['sort=name', 'sort=score&order=asc', ''])
          expect((await get(`?${query}&cursor=${nextCursor}`)).body).toMatchObject({
            code: 'VALIDATION_ERROR',
            error: 'query.cursor: is of a list in another order',
          });
      });

      it('forgets what its chain takes back', async () => {
        await service.record(registryEvent('agent_registration_reverted', '1:0'));
        expect(idsOf(await get('?chainId=1'))).toEqual(['1:2']);
        expect((await get('/1:0')).status).toBe(404);
      });
    });

    it('pages by scores that operators made up', async () => {
      const scores = [150, -3.25, 1e21, 0];
      await service.record(
        ...scores.flatMap((score, n) => [described(`1:${n}`, `${n}`), rated(`1:${n}`, score)]),
        described('1:9', 'unrated'),
      );
      const seen: unknown[] = [];
      let cursor = '';
      do {
        const { body } = await get(`?sort=score&limit=1${cursor}`);
        seen.push(...body.data.map(({ score }: Json) => score));
        cursor = body.meta.hasMore ? `&cursor=${body.meta.nextCursor}` : '';
      } while (cursor !== '');
      expect(seen).toEqual([1e21, 150, 0, -3.25, null]);
    });

    it('pages by names of every kind', async () => {
      const names = ['🐚'.repeat(500), '\u0000a\n', '__proto__', 'ü'.repeat(500), '', '%_\\', 'a'];
      await service.record(...names.map((name, n) => described(`1:${n}`, name)));
      const seen: string[] = [];
      let cursor = '';
      for (let page = 0; page < names.length; page++) {
        const { body } = await get(`?sort=name&limit=1${cursor}`);
        seen.push(...body.data.map(({ agentId }: Json) => agentId));
        cursor = `&cursor=${body.meta.nextCursor}`;
      }
      expect(seen.sort()).toEqual(names.map((_name, n) => `1:${n}`));
    });

    it('ends a page early that has too many bytes', async () => {
      await service.stop();
      service = await startQuery({ SLUICE_QUERY_MAX_PAGE: '1MiB' });
      key = await service.key(7, 'reader');
      const description = '漢'.repeat(4_000);
      const services = range(1, 64).map((n) => ({ name: `${n}`, endpoint: 'e'.repeat(2_000) }));
      const file = { name: 'Big', description, services, supportedTrust: [], declaredSkills: [], declaredDomains: [] };
      await service.record(
        ...range(1, 30).map((n) => registryEvent('agent_registered', `1:${n}`, { registration: { file } })),
      );
      const { text, body } = await get('?limit=100');
      expect(Buffer.byteLength(text)).toBeLessThan(1.1 * 1024 * 1024);
      expect(body.data.length).toBeGreaterThan(5);
      expect(body.meta).toMatchObject({ limit: 100, hasMore: true });
      const rest = [...range(1, 30)].reverse().slice(body.data.length);
      const next = await get(`?limit=1&cursor=${body.meta.nextCursor}`);
      expect(idsOf(next)).toEqual([`1:${rest[0]}`]);
    });
  });
});
