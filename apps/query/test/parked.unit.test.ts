import type { Lane, LogBatch } from '@sluice/event-log';
import { encodeEnvelope, MAX_EVENT_BYTES } from '@sluice/event-schema';
import {
  OPERATOR_KEY,
  range,
  sandboxEvent,
  startQuery,
  type CallOptions,
  type Json,
  type QueryService,
} from './query-service';

describe('parked records', () => {
  let service: QueryService;
  let admin: CallOptions;
  const operator: CallOptions = { key: OPERATOR_KEY };
  beforeEach(async () => {
    service = await startQuery();
    admin = { key: await service.key(1, 'admin') };
  });
  afterEach(() => service.stop());

  const replay = (json: unknown, as: CallOptions = admin) =>
    service.call('/v1/admin/parked/replay', { ...as, method: 'POST', json });

  /** Everything that is in the durable log. */
  async function logged(): Promise<string[]> {
    const log = await service.host.engine.durableLog();
    const expected = [...(await log.ends()).values()].reduce((sum, end) => sum + end, 0);
    const texts: string[] = [];
    if (expected === 0) return texts;
    let isDone = (): void => undefined;
    const done = new Promise<void>((resolve) => (isDone = resolve));
    const reached = new Map<Lane, number>();
    const follower = await log.follow({
      group: 'test',
      maxBatchRecords: 1000,
      loadCheckpoints: async () => new Map(reached),
      handle: async ({ records, checkpoints }: LogBatch) => {
        for (const [lane, { to }] of checkpoints) reached.set(lane, to);
        texts.push(...records.map(({ value }) => Buffer.from(value).toString('utf8')));
        if (texts.length >= expected) isDone();
      },
    });
    await done;
    await follower.stop();
    return texts;
  }

  it('lists them in pages, as text or as base64, and bounded', async () => {
    await service.park(
      { value: `ü${'x'.repeat(5000)}`, workspaceId: 1, reason: 'not_json' },
      { value: new Uint8Array([0, 255, 10]), workspaceId: 1 },
      { value: `${'x'.repeat(4095)}ü`, workspaceId: 1 },
      { value: 'foreign', workspaceId: 2 },
      { value: 'of nobody' },
    );
    const list = async (query: string, as: CallOptions) =>
      (await service.call(`/v1/admin/parked${query}`, as)).body as { parked: Json[]; nextAfter?: number };
    const first = await list('?limit=2', admin);
    expect(first.parked[0]).toMatchObject({ encoding: 'utf8', truncated: true, valueBytes: 5002, reason: 'not_json' });
    expect(first.parked[0].value).toBe(`ü${'x'.repeat(4094)}`);
    expect(first.parked[1]).toMatchObject({ encoding: 'base64', value: 'AP8K', truncated: false, workspaceId: 1 });
    const second = await list(`?limit=2&after=${first.nextAfter}`, admin);
    expect(second.parked.map(({ value }) => value)).toEqual(['x'.repeat(4095)]);
    expect(second.nextAfter).toBeUndefined();
    expect((await list('', operator)).parked).toHaveLength(5);
    expect((await list('?workspaceId=2', operator)).parked).toHaveLength(1);
    for (const query of ['?limit=101', '?after=-1', '?after=x', '?limit=1&limit=2']) {
      expect((await service.call(`/v1/admin/parked${query}`, admin)).status).toBe(400);
    }
  });

  it('puts the original bytes back into the log and says what cannot be', async () => {
    const { event } = sandboxEvent({ data: { n: 1 } });
    const formatted = JSON.stringify(event, undefined, 2);
    await service.park(
      { value: formatted, workspaceId: 1, reason: 'projection_failed' },
      { value: 'no json', workspaceId: 1, reason: 'not_json' },
      { value: JSON.stringify({ ...event, position: 9 }), workspaceId: 1 },
      {
        value: encodeEnvelope({ ...event, data: { x: 'x'.repeat(MAX_EVENT_BYTES) } }).json,
        workspaceId: 1,
        reason: 'too_large',
      },
      { value: new Uint8Array([0xff]), workspaceId: 1, reason: 'not_json' },
    );
    const { status, body } = await replay({ parkedIds: [3, 1, 2, 99, 1, 4, 5] });
    expect(status).toBe(200);
    expect(body).toEqual({
      replayed: 1,
      refused: 5,
      results: [
        { parkedId: 1, outcome: 'replayed' },
        { parkedId: 2, outcome: 'not_replayable', reason: 'not_json' },
        { parkedId: 3, outcome: 'not_replayable', reason: 'invalid_envelope' },
        { parkedId: 4, outcome: 'not_replayable', reason: 'too_large' },
        { parkedId: 5, outcome: 'not_replayable', reason: 'not_json' },
        { parkedId: 99, outcome: 'not_found' },
      ],
    });
    expect(await logged()).toEqual([formatted]);
    const listed = (await service.call('/v1/admin/parked', admin)).body.parked;
    expect(listed.map(({ replayedAt }: Json) => replayedAt !== undefined)).toEqual([true, false, false, false, false]);
  });

  it('keeps records of another workspace, and of none, out of reach', async () => {
    const foreign = sandboxEvent({ workspaceId: 2 });
    await service.park({ value: foreign.json, workspaceId: 2 }, { value: sandboxEvent().json });
    expect((await replay({ parkedIds: [1, 2] })).body.results).toEqual([
      { parkedId: 1, outcome: 'not_found' },
      { parkedId: 2, outcome: 'not_found' },
    ]);
    expect((await replay({ all: true })).body.results).toEqual([]);
    expect((await replay({ all: true, workspaceId: 2 })).status).toBe(401);
    expect(await logged()).toEqual([]);
    expect((await replay({ parkedIds: [1, 2] }, operator)).body.replayed).toBe(2);
  });

  it('never replays a record into a workspace that it was not parked for', async () => {
    await service.park({ value: sandboxEvent({ workspaceId: 2 }).json, workspaceId: 1 });
    expect((await replay({ parkedIds: [1] })).body.results[0].outcome).toBe('not_replayable');
  });

  it('replays all in calls of bounded size, each once', async () => {
    const envelopes = range(1, 1100).map((n) => sandboxEvent({ data: { n } }));
    await service.park(...envelopes.map(({ json }) => ({ value: json, workspaceId: 1 })));
    const first = (await replay({ all: true })).body;
    expect(first.replayed).toBe(1000);
    const second = (await replay({ all: true, after: first.nextAfter })).body;
    expect(second).toMatchObject({ replayed: 100 });
    expect(second.nextAfter).toBeUndefined();
    const third = (await replay({ all: true })).body;
    expect(third.replayed).toBe(0);
    expect((await logged()).sort()).toEqual(envelopes.map(({ json }) => json).sort());
    // By name, a record is replayed as often as one asks.
    expect((await replay({ parkedIds: range(1, 1000) })).body.replayed).toBe(1000);
  });

  it('marks nothing as replayed that the log did not take', async () => {
    await service.park({ value: sandboxEvent().json, workspaceId: 1 });
    await (await service.host.engine.durableLog()).close();
    const { status, body } = await replay({ all: true });
    expect(status).toBe(503);
    expect(body.code).toBe('log_unavailable');
    expect((await service.call('/v1/admin/parked', admin)).body.parked[0].replayedAt).toBeUndefined();
  });
});
