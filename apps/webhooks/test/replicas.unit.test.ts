import { encodeCursor, SluiceError, toEpoch, toPosition } from '@sluice/event-log';
import { recordAndRemove, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import {
  MemoryWebhookStore,
  type MemoryEndpoints,
  type RenewedGrant,
  type WebhookLease,
  type WebhookStore,
} from '@sluice/webhook-delivery';
import { startReplica, type Json } from './webhooks-service';
import { events, idsOf, WebhooksWorld } from './webhooks-world';

/** Of a process that dies between sending and keeping that it sent. */
class DyingStore extends MemoryWebhookStore {
  private isDead = false;

  override async claim(query: Parameters<WebhookStore['claim']>[0]): Promise<readonly WebhookLease[]> {
    return this.isDead ? [] : super.claim(query);
  }

  override record(): Promise<boolean> {
    this.isDead = true;
    return Promise.reject(new SluiceError('read_model_unavailable', 'gone'));
  }

  override renew(): Promise<readonly RenewedGrant[]> {
    return Promise.reject(new SluiceError('read_model_unavailable', 'gone'));
  }
}

/** Its first answer to what an attempt came to is lost, though that is kept. */
class LosingStore extends MemoryWebhookStore {
  private hasLost = false;

  override async record(...of: Parameters<WebhookStore['record']>): Promise<boolean> {
    const isKept = await super.record(...of);
    if (this.hasLost) return isKept;
    this.hasLost = true;
    throw new SluiceError('read_model_unavailable', 'lost');
  }

  /** Nobody is told what changed. */
  override async renew(...of: Parameters<WebhookStore['renew']>): Promise<readonly RenewedGrant[]> {
    return (await super.renew(...of)).map((each) => ({ ...each, isEnabled: true }));
  }
}

const sessions = (count: number) =>
  Array.from({ length: count }, () => sandboxEnvelope({ family: 'session', entityId: 's' }));

describe('cursors and replicas', () => {
  const world = new WebhooksWorld();
  const { receiver, service } = world;
  afterEach(() => world.stop());

  it('sends nothing more where it did not learn that it is disabled', async () => {
    const app = await receiver(() => ({ status: 410 }));
    const webhooks = await service([app], { store: new LosingStore() });
    await webhooks.create({ url: app.url });
    await webhooks.record(...events(2));
    const told = async () => (await webhooks.host.metrics.expose()).match(/^sluice_webhook_disabled_total.*$/m)?.[0];
    await until(async () => (await told()) === 'sluice_webhook_disabled_total{reason="gone"} 1');
    expect(app.received).toHaveLength(1);
  });

  it('sends an event again, with its id, when a process died before it could keep that it was sent', async () => {
    const app = await receiver();
    const endpoints: MemoryEndpoints = new Map();
    const first = await service([app], { store: new DyingStore({ endpoints }) });
    const { endpointId } = await first.create({ url: app.url });
    const ids = idsOf(await first.record(...events(2)));
    await until(() => app.received.length === 1);
    const store = new MemoryWebhookStore({ endpoints });
    const env = { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: app.host };
    const replica = await startReplica(first.host, { env, store });
    world.running.push(replica);
    await until(() => app.received.length >= 3);
    expect(app.ids()).toEqual([ids[0], ids[0], ids[1]]);
    const query = { workspaceId: 1, endpointId, limit: 9 };
    await until(async () => (await store.deliveries(query))?.length === 2);
  });

  it('shares endpoints among replicas, each event once and in order, also when one stops (G2)', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    const env = { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: app.host, SLUICE_WEBHOOK_MAX_ENDPOINTS: '10' };
    const replica = await startReplica(webhooks.host, { env });
    const paths = Array.from({ length: 12 }, (_, n) => `${app.url}/${n}`);
    const endpoints: Json[] = [];
    for (const url of paths) endpoints.push(await webhooks.create({ url }));
    const before = await webhooks.record(...events(20));
    await until(() => app.received.length >= 100);
    await replica.stop();
    const after = await webhooks.record(...events(20));
    await until(() => app.received.length >= 12 * 40);
    expect(app.received).toHaveLength(12 * 40);
    for (const { endpointId } of endpoints) {
      await until(async () => (await webhooks.log(endpointId)).length === 40);
      const delivered = [...(await webhooks.log(endpointId))].reverse().map(({ eventId }) => eventId);
      expect(delivered).toEqual(idsOf([...before, ...after]));
    }
  });

  it('says in the delivery log where a cursor could not be honoured (G5)', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    await webhooks.record(...events(2));
    const { endpointId } = await webhooks.create({ url: app.url, enabled: false });
    const store = await webhooks.host.engine.webhookStore();
    const state = await store.find(1, endpointId);
    if (state === undefined) throw new Error('no endpoint');
    await store.remove(1, endpointId);
    const place = { epoch: toEpoch('0badcafe'), position: toPosition(1) };
    await store.create({ ...state.endpoint, disabled: undefined }, place, 9);
    await until(async () => (await webhooks.log(endpointId)).length === 2);
    await until(() => app.received.length === 1);
    expect((await webhooks.log(endpointId)).at(-1)).toMatchObject({
      kind: 'reset',
      reset: { reason: 'epoch_changed', requested: '1-0badcafe-1' },
    });
    const ids = idsOf(await webhooks.record(...events(1)));
    await until(() => app.received.length === 2);
    expect(app.ids().slice(1)).toEqual(ids);
    const head = await webhooks.host.feed();
    expect(JSON.parse(app.received[0]?.body ?? '')).toEqual({
      type: 'webhook.reset',
      id: app.ids()[0],
      created_at: expect.any(String),
      data: {
        reason: 'epoch_changed',
        requested: '1-0badcafe-1',
        at: encodeCursor({ epoch: head.head.epoch, position: toPosition(2) }),
      },
    });
  });

  it('says, and tells, where something is not kept any more, and goes on from there (G5)', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    await recordAndRemove(webhooks.host.engine, events(3));
    const ids = idsOf(await webhooks.record(...events(2)));
    await until(() => app.received.length === 3);
    const { epoch } = (await webhooks.host.feed()).head;
    const cursorAt = (position: number) => encodeCursor({ epoch, position: toPosition(position) });
    // A place that may know of removals.
    const at = expect.stringMatching(new RegExp(`^${cursorAt(3)}(-\\w+)?$`));
    const reset = { reason: 'no_longer_kept', requested: cursorAt(0), at };
    expect(JSON.parse(app.received[0]?.body ?? '')).toMatchObject({ type: 'webhook.reset', data: reset });
    expect(app.ids().slice(1)).toEqual(ids);
    expect((await webhooks.log(endpointId)).filter(({ kind }) => kind === 'reset')).toMatchObject([{ reset }]);
  });

  it.each(['created', 'moved'] as const)(
    'begins at what is kept, without a word, where it is %s at `earliest`',
    async (how) => {
      const app = await receiver();
      const webhooks = await service([app]);
      await recordAndRemove(webhooks.host.engine, events(3));
      const kept = idsOf(await webhooks.record(...sessions(2), ...events(1)));
      if (how === 'created') {
        await webhooks.create({ url: app.url, cursor: 'earliest' });
      } else {
        const { endpointId } = await webhooks.create({ url: app.url });
        await webhooks.call('PATCH', `/v1/webhooks/${endpointId}`, { json: { cursor: 'earliest' } });
      }
      await until(() => app.received.length === 3);
      expect(app.ids()).toEqual(kept);
    },
  );

  it('tries to tell of a reset like of any event, and what waited becomes a dead letter (G5)', async () => {
    const app = await receiver((_, count) => ({ status: count <= 2 ? 500 : 200 }));
    const webhooks = await service([app], { env: { SLUICE_WEBHOOK_RETRY_DELAYS: '20ms' } });
    const { endpointId } = await webhooks.create({ url: app.url, enabled: false });
    const store = await webhooks.host.engine.webhookStore();
    const state = await store.find(1, endpointId);
    if (state === undefined) throw new Error('no endpoint');
    await store.remove(1, endpointId);
    const place = { epoch: toEpoch('0badcafe'), position: toPosition(1) };
    const subject = { id: 'lost', type: 'sandbox.ready', workspaceId: 1, family: 'sandbox', entityId: 'a' } as const;
    const head = { subject, position: toPosition(2), attempts: 4, nextAttemptAt: 0, status: 500 };
    const blocked = new MemoryWebhookStore();
    await blocked.create({ ...state.endpoint, disabled: undefined }, place, 9);
    const [lease] = await blocked.claim({ holder: 'former', leaseMs: 60_000, limit: 1 });
    if (lease === undefined) throw new Error('no lease');
    const entry = { kind: 'event', outcome: 'failed', at: 1 } as const;
    await blocked.record(lease.grant, { entry, progress: { place, head } });
    await blocked.release([{ ...lease, place, progressVersion: 2 }]);
    const env = { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: app.host, SLUICE_WEBHOOK_RETRY_DELAYS: '20ms' };
    world.running.push(await startReplica(webhooks.host, { env, store: blocked }));
    await until(() => app.received.length === 2);
    expect(new Set(app.ids()).size).toBe(1);
    const query = { workspaceId: 1, endpointId, limit: 9 };
    await until(async () => (await blocked.deadLetters(query))?.length === 2);
    expect(await blocked.deadLetters(query)).toMatchObject([
      { eventId: app.ids()[0], eventType: 'webhook.reset', attempts: 2, status: 500 },
      { eventId: 'lost', eventType: 'sandbox.ready', attempts: 4, status: 500 },
    ]);
    await webhooks.record(...events(1));
    await until(() => app.received.length === 3);
    await blocked.replay({ ...query, deadLetterIds: 'all', replayAt: 1 });
    await until(async () => (await blocked.deadLetters(query))?.length === 1);
    expect(app.received.at(-1)?.body).toBe(app.received[0]?.body);
  });

  it('reads nothing from the database for events that do not match, and passes them', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url, filter: { types: ['sandbox.ready'] } });
    const [wanted] = await webhooks.record(sandboxEnvelope({ type: 'sandbox.ready', data: {} }));
    await until(() => app.received.length === 1);
    const reads = jest.spyOn(await webhooks.host.engine.readModel(), 'read');
    await webhooks.record(...events(500));
    const store = await webhooks.host.engine.webhookStore();
    await until(async () => (await store.find(1, endpointId))?.progress.place.position === 501);
    expect(reads).not.toHaveBeenCalled();
    expect(app.ids()).toEqual([wanted?.event.id]);
  });
});
