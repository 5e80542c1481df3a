import { SAMPLE_FEEDBACK, SAMPLE_REGISTRATION } from '@sluice/event-schema/conformance';
import { range, sandboxEvent, startQuery, type Json, type QueryService } from './query-service';
import { registryEvent } from './registry-events';

const PATH = '/api/v1/agents';
const ISO = '2023-11-14T22:13:20.000Z';

describe('/api/v1/agents/{agentId}', () => {
  let service: QueryService;
  let key: string;
  beforeEach(async () => {
    service = await startQuery();
    key = await service.key(7, 'reader');
  });
  afterEach(() => service.stop());

  const get = (path = '') => service.call(`${PATH}${path}`, { key });

  describe('GET /{agentId}', () => {
    it.each([
      ['/1:404', 404, { error: 'Agent not found', code: 'NOT_FOUND' }],
      ['/1:404/feedback', 404, { error: 'Agent not found', code: 'NOT_FOUND' }],
      ['/1:0/nothing', 404, { error: 'Not Found', code: 'NOT_FOUND' }],
      ['/', 404, { error: 'Not Found', code: 'NOT_FOUND' }],
    ])('answers %s by %d, without a request id', async (path, status, body) => {
      expect(await get(path)).toMatchObject({ status, body: { success: false, ...body } });
      expect((await get(path)).body).toEqual({ success: false, ...body });
    });

    it.each(['/1', '/1:01', '/x', '/0:1', '/1:1%0a', '/__proto__', `/1:${'9'.repeat(79)}`])(
      'refuses %s as no agent id',
      async (path) => {
        for (const end of ['', '/feedback', '/events'])
          expect(await get(`${path}${end}`)).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
      },
    );

    it('knows token ids that no number holds', async () => {
      const agentId = `1:${'9'.repeat(78)}`;
      await service.record(registryEvent('agent_registered', agentId));
      expect((await get(`/${agentId}`)).body.data).toMatchObject({ agentId, tokenId: '9'.repeat(78) });
      expect((await get(`/${agentId.replace(':', '%3A')}`)).status).toBe(200);
    });

    it('takes no parameters', async () => {
      await service.record(registryEvent('agent_registered', '1:0'));
      expect((await get('/1:0?fields=name')).body).toMatchObject({ code: 'VALIDATION_ERROR' });
    });

    it.each(['POST', 'PUT', 'DELETE'])('answers %s by 404, as that API does', async (method) => {
      const answer = await service.call(`${PATH}/1:0`, { key, method });
      expect([answer.status, answer.body, answer.headers['allow']]).toEqual([
        404,
        { success: false, error: 'Not Found', code: 'NOT_FOUND' },
        undefined,
      ]);
    });
  });

  describe('GET /{agentId}/feedback', () => {
    const client = `0x${'c1'.repeat(20)}`;
    const given = (feedbackIndex: string, isRating = true) => {
      const feedback = { ...SAMPLE_FEEDBACK, feedbackIndex, isRating };
      return isRating
        ? registryEvent('reputation_change', '1:0', { feedback })
        : registryEvent('feedback_received', '1:0', { feedback });
    };

    it('shows feedback with its responses, the newest first, revoked ones when they are asked for', async () => {
      await service.record(
        registryEvent('agent_registered', '1:0'),
        given('1'),
        given('2', false),
        registryEvent('feedback_revoked', '1:0', { clientAddress: client, feedbackIndex: '1' }),
        registryEvent('feedback_response', '1:0', { clientAddress: client, feedbackIndex: '2' }),
      );
      const { status, body } = await get('/1:0/feedback');
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        data: [
          {
            agentId: '1:0',
            ...SAMPLE_FEEDBACK,
            feedbackIndex: '2',
            isRating: false,
            revoked: false,
            responses: [
              {
                responder: `0x${'d0'.repeat(20)}`,
                responseUri: 'ipfs://bafkreiresponse',
                responseHash: `0x${'d1'.repeat(32)}`,
                createdAt: ISO,
              },
            ],
            createdAt: ISO,
          },
        ],
        meta: { limit: 20, hasMore: false },
      });
      const all = (await get('/1:0/feedback?includeRevoked=true')).body.data;
      expect(all.map(({ feedbackIndex, revoked }: Json) => [feedbackIndex, revoked])).toEqual([
        ['2', false],
        ['1', true],
      ]);
    });

    it('pages to the end, each once', async () => {
      await service.record(registryEvent('agent_registered', '1:0'), ...range(1, 7).map((n) => given(`${n}`)));
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await get(`/1:0/feedback?limit=3${cursor}`);
        seen.push(...body.data.map(({ feedbackIndex }: Json) => feedbackIndex));
        cursor = body.meta.hasMore ? `&cursor=${body.meta.nextCursor}` : '';
      } while (cursor !== '');
      expect(seen).toEqual(['7', '6', '5', '4', '3', '2', '1']);
    });

    it.each([
      'cursor=x',
      `cursor=${Buffer.from('["name","asc","a",1]').toString('base64url')}`,
      'includeRevoked=1',
      'x=1',
    ])('refuses ?%s', async (query) => {
      expect(await get(`/1:0/feedback?${query}`)).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
    });
  });

  describe('GET /{agentId}/events', () => {
    it('shows the events of one agent as the stream shows them, with ids and cursors that hold at every door (G4)', async () => {
      const [registered, , reverted] = await service.record(
        registryEvent('agent_registered', '1:0', { registration: SAMPLE_REGISTRATION }),
        registryEvent('agent_registered', '1:1'),
        registryEvent('agent_registration_reverted', '1:0'),
        sandboxEvent({ entityId: '1:0' }),
      );
      const { status, body } = await get('/1:0/events');
      expect(status).toBe(200);
      const { agentId, chainId } = { agentId: '1:0', chainId: 1 };
      const owner = `0x${'Ab'.repeat(20)}`;
      expect(body).toEqual({
        success: true,
        data: [
          {
            eventId: registered?.event.id,
            cursor: expect.any(String),
            type: 'agent_registered',
            ...{ agentId, chainId, name: 'NewAgent', owner, hasMcp: true, hasA2a: false },
            timestamp: ISO,
          },
          {
            eventId: reverted?.event.id,
            cursor: expect.any(String),
            type: 'agent_registration_reverted',
            ...{ agentId, chainId, revertedEventId: expect.any(String), name: 'NewAgent', owner },
            timestamp: ISO,
          },
        ],
        meta: { limit: 20, hasMore: false },
      });
      const [{ cursor }] = body.data;
      expect((await get(`/1:0/events?cursor=${cursor}`)).body.data).toEqual([body.data[1]]);
      const generic = await service.call(`/v1/events?workspaceId=0&family=registry&cursor=${cursor}`, { key });
      expect(generic.body.events.map(({ position }: Json) => position)).toEqual([2, 3]);
    });

    it('filters by types and time, in both orders, and pages to the end', async () => {
      await service.record(
        ...range(1, 9).map((n) =>
          registryEvent(n % 2 === 0 ? 'agent_updated' : 'reputation_change', '1:0', {}, { occurredAt: n * 1_000 }),
        ),
      );
      const times = async (query: string) =>
        (await get(`/1:0/events?${query}`)).body.data.map(({ timestamp }: Json) => Date.parse(timestamp) / 1_000);
      expect(await times('types=agent_updated&since=2000&order=desc')).toEqual([8, 6, 4]);
      expect(await times('types=agent_updated,reputation_change&until=3000')).toEqual([1, 2]);
      const seen: number[] = [];
      let cursor = 'earliest';
      do {
        const { body } = await get(`/1:0/events?limit=2&cursor=${cursor}`);
        seen.push(...body.data.map(({ timestamp }: Json) => Date.parse(timestamp) / 1_000));
        expect(body.meta.hasMore).toBe(body.meta.nextCursor !== undefined);
        cursor = body.meta.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(range(1, 9));
    });

    it.each(['cursor=1', 'types=a%20b', 'order=down', 'x=1'])('refuses ?%s', async (query) => {
      expect(await get(`/1:0/events?${query}`)).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
    });
  });
});
