import Anthropic from '@anthropic-ai/sdk';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { verifyWebhook } from '@sluice/signed-webhooks';
import { type Json } from './webhooks-service';
import { events, idsOf, WebhooksWorld } from './webhooks-world';

const registryEvent = () =>
  sandboxEnvelope({
    family: 'registry',
    entityId: '1:0',
    workspaceId: 0,
    type: 'agent_updated',
    data: { agentId: '1:0', chainId: 1, changes: ['name'] },
  });

describe('delivery', () => {
  const world = new WebhooksWorld();
  const { receiver, service } = world;
  afterEach(() => world.stop());

  it('sends each matching event in order, as it was recorded, signed for the SDK (G2)', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    await webhooks.record(...events(3));
    const { secret } = await webhooks.create({
      url: app.url,
      filter: { families: ['sandbox'], types: ['execution.*'] },
    });
    const matching = events(40);
    const recorded = await webhooks.record(
      ...matching,
      sandboxEnvelope({ workspaceId: 2 }),
      sandboxEnvelope({ type: 'sandbox.ready', data: {} }),
      registryEvent(),
    );
    const [last] = await webhooks.record(...events(1));
    await until(() => app.ids().includes(last?.event.id ?? ''));
    expect(app.ids()).toEqual([...idsOf(matching), last?.event.id]);

    const client = new Anthropic({ apiKey: 'none', webhookKey: secret });
    app.received.slice(0, 40).forEach(({ body, headers, id }, n) => {
      const unwrapped: unknown = client.beta.webhooks.unwrap(body, { headers: headers as Record<string, string> });
      expect(unwrapped).toEqual({
        type: 'execution.completed',
        id,
        created_at: '2023-11-14T22:13:20.000Z',
        data: JSON.parse(recorded[n]?.json ?? ''),
      });
      expect(body).toContain(`"data":${recorded[n]?.json}`);
      expect(headers['content-type']).toBe('application/json');
    });
    expect(() =>
      client.beta.webhooks.unwrap(`${app.received[0]?.body} `, {
        headers: app.received[0]?.headers as Record<string, string>,
      }),
    ).toThrow();
  });

  it('sends registry events of the public workspace where their family is named', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    await webhooks.create({ url: app.url, filter: { families: ['registry', 'sandbox'] } });
    const recorded = await webhooks.record(registryEvent(), sandboxEnvelope({ workspaceId: 0 }), ...events(1));
    await until(() => app.received.length === 2);
    expect(app.ids()).toEqual([recorded[0]?.event.id, recorded[2]?.event.id]);
  });

  it('tries again with the same id, and sends nothing else before it is through', async () => {
    const app = await receiver((_, count) => ({ status: count <= 2 ? 500 : 200, body: `answer ${count}` }));
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    const ids = idsOf(await webhooks.record(...events(2)));
    await until(() => app.received.length === 4);
    expect(app.ids()).toEqual([ids[0], ids[0], ids[0], ids[1]]);
    expect(new Set(app.received.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    await until(async () => (await webhooks.log(endpointId)).length === 4);
    expect([...(await webhooks.log(endpointId))].reverse()).toMatchObject([
      {
        outcome: 'failed',
        attempt: 1,
        status: 500,
        answer: 'answer 1',
        eventId: ids[0],
        nextAttemptAt: expect.any(Number),
      },
      { outcome: 'failed', attempt: 2, status: 500 },
      { outcome: 'delivered', attempt: 3, status: 200, position: 1 },
      { outcome: 'delivered', attempt: 1, status: 200, position: 2 },
    ]);
  });

  it('honours Retry-After', async () => {
    const app = await receiver((_, count) =>
      count === 1 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200 },
    );
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    await webhooks.record(...events(1));
    await until(async () => (await webhooks.log(endpointId)).length === 1);
    const [{ at, nextAttemptAt = 0 } = { at: 0 }] = await webhooks.log(endpointId);
    expect(nextAttemptAt - at).toBeGreaterThanOrEqual(1_000);
    const { body } = await webhooks.call('GET', `/v1/webhooks/${endpointId}`);
    expect(body.delivery).toMatchObject({ failedAttempts: 1, nextAttemptAt });
    await until(() => app.received.length === 2);
  });

  it('keeps what it gives up as a dead letter, goes on, and sends it again when it is asked to', async () => {
    let poison = '';
    const app = await receiver(({ id }) => ({ status: id === poison ? 500 : 200 }));
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    const [bad, good] = events(2);
    poison = bad?.event.id ?? '';
    const ids = idsOf(await webhooks.record(...[bad, good].flatMap((each) => each ?? [])));
    await until(() => app.received.length === 4);
    expect(app.ids()).toEqual([poison, poison, poison, ids[1]]);

    const path = `/v1/webhooks/${endpointId}/dead-letters`;
    const { body } = await webhooks.call('GET', path);
    const [letter] = body.deadLetters as Json[];
    expect(letter).toMatchObject({
      eventId: poison,
      eventType: 'execution.completed',
      position: 1,
      attempts: 3,
      status: 500,
    });
    const replay = (json: object) => webhooks.call('POST', `${path}/replay`, { json });
    expect((await replay({ deadLetterIds: [letter.deadLetterId] })).body).toEqual({ waiting: 1 });
    await until(async () => (await webhooks.call('GET', path)).body.deadLetters[0].replayAt === undefined);
    expect(app.ids().slice(4)).toEqual([poison]);

    app.answers(() => ({ status: 200 }));
    expect((await replay({ all: true })).body).toEqual({ waiting: 1 });
    await until(async () => (await webhooks.call('GET', path)).body.deadLetters.length === 0);
    const again = app.received.at(-1);
    expect(again?.id).toBe(poison);
    expect(again?.body).toBe(app.received[0]?.body);
    expect((await webhooks.log(endpointId)).slice(0, 2)).toMatchObject([
      { kind: 'replay', outcome: 'delivered', eventId: poison },
      { kind: 'replay', outcome: 'failed', eventId: poison },
    ]);
  });

  it('holds up nobody for an endpoint that hangs or is dead (G9)', async () => {
    const hanging = await receiver(() => undefined);
    const dead = await receiver(() => ({ status: 503 }));
    const app = await receiver();
    const webhooks = await service([hanging, dead, app], {
      env: { SLUICE_WEBHOOK_CONCURRENCY: '8', SLUICE_WEBHOOK_RETRY_DELAYS: '1h' },
    });
    for (let n = 0; n < 6; n++) await webhooks.create({ url: hanging.url });
    for (let n = 0; n < 6; n++) await webhooks.create({ url: dead.url });
    const first = await webhooks.record(...events(1));
    await until(() => hanging.received.length === 1 && dead.received.length === 0);
    const key = await webhooks.keyOf(2);
    expect((await webhooks.call('POST', '/v1/webhooks', { key, json: { url: app.url } })).status).toBe(201);
    const ids = idsOf(await webhooks.record(...events(50, 2)));
    await until(() => app.received.length === 50);
    expect(app.ids()).toEqual(ids);
    // An eighth of the slots is all that one workspace has.
    expect(hanging.ids()).toEqual([first[0]?.event.id]);
  });

  it('sends nothing more to an endpoint that answers 410, until it is enabled again', async () => {
    const app = await receiver(() => ({ status: 410 }));
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    const path = `/v1/webhooks/${endpointId}`;
    const ids = idsOf(await webhooks.record(...events(2)));
    await until(async () => (await webhooks.call('GET', path)).body.enabled === false);
    expect((await webhooks.call('GET', path)).body.disabled).toMatchObject({ reason: 'gone' });
    expect(await webhooks.log(endpointId)).toMatchObject([{ outcome: 'disabled', status: 410 }]);
    app.answers(() => ({ status: 200 }));
    expect((await webhooks.call('PATCH', path, { json: { enabled: true } })).body.enabled).toBe(true);
    await until(() => app.received.length === 3);
    expect(app.ids()).toEqual([ids[0], ids[0], ids[1]]);
  });

  it('disables an endpoint that did nothing but fail for too long', async () => {
    const app = await receiver(() => ({ status: 500 }));
    const webhooks = await service([app], {
      env: { SLUICE_WEBHOOK_RETRY_DELAYS: '700ms,700ms,1h', SLUICE_WEBHOOK_DISABLE_AFTER: '1s' },
    });
    const { endpointId } = await webhooks.create({ url: app.url });
    await webhooks.record(...events(1));
    await until(
      async () => (await webhooks.call('GET', `/v1/webhooks/${endpointId}`)).body.disabled?.reason === 'failing',
    );
    expect((await webhooks.log(endpointId))[0]).toMatchObject({ outcome: 'disabled', status: 500 });
  });

  it('signs with the former secret too after a rotation', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    const { endpointId, secret } = await webhooks.create({ url: app.url });
    const path = `/v1/webhooks/${endpointId}`;
    const { body } = await webhooks.call('POST', `${path}/rotate-secret`);
    expect(body.secret).toMatch(/^whsec_/);
    expect(body.secret).not.toBe(secret);
    expect((await webhooks.call('POST', `${path}/test`)).body).toMatchObject({ delivered: true, status: 204 });
    const [ping] = app.received;
    if (ping === undefined) throw new Error('no ping');
    const verify = (one: string) =>
      verifyWebhook({ secrets: [one], headers: ping.headers, body: ping.body, nowMs: Date.now() }).ok;
    expect([verify(secret), verify(body.secret)]).toEqual([true, true]);
    expect(JSON.parse(ping.body)).toMatchObject({ type: 'webhook.ping', data: { endpointId, workspaceId: 1 } });
    await webhooks.call('POST', `${path}/rotate-secret`);
    await webhooks.call('POST', `${path}/test`);
    const [, second] = app.received;
    if (second === undefined) throw new Error('no ping');
    const headers = second.headers;
    const nowMs = Date.now();
    expect(verifyWebhook({ secrets: [secret], headers, body: second.body, nowMs }).ok).toBe(false);
    expect(verifyWebhook({ secrets: [body.secret], headers, body: second.body, nowMs }).ok).toBe(true);
  });

  it('refuses addresses of this network, and follows no redirect', async () => {
    const listed = await receiver(() => ({ status: 302, headers: { location: 'https://example.com/' } }));
    const secretPlace = await receiver();
    const webhooks = await service([listed]);
    const { endpointId } = await webhooks.create({ url: listed.url });
    for (const url of [
      secretPlace.url,
      'https://127.0.0.1/',
      'https://localhost/',
      'https://[::ffff:127.0.0.1]/',
      'https://machine.internal/',
      'https://example.com:8443/',
      'http://example.com/',
    ]) {
      const refusals = [
        await webhooks.call('POST', '/v1/webhooks', { json: { url } }),
        await webhooks.call('PATCH', `/v1/webhooks/${endpointId}`, { json: { url } }),
      ];
      for (const refusal of refusals)
        expect([url, refusal]).toMatchObject([url, { status: 400, body: { where: 'body.url' } }]);
    }
    const { body } = await webhooks.call('POST', `/v1/webhooks/${endpointId}/test`);
    expect(body).toMatchObject({ delivered: false, error: 'redirect', status: 302 });
    expect(secretPlace.received).toEqual([]);
  });

  it('says why nobody answered', async () => {
    const app = await receiver();
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    await app.stop();
    const { body } = await webhooks.call('POST', `/v1/webhooks/${endpointId}/test`);
    expect(body).toMatchObject({ delivered: false, error: 'unreachable', reason: 'ECONNREFUSED' });
    expect(await webhooks.log(endpointId)).toMatchObject([{ kind: 'ping', reason: 'ECONNREFUSED' }]);
  });

  it('takes 2xx for success, however its text is encoded', async () => {
    const app = await receiver(() => ({ status: 200, headers: { 'content-encoding': 'zstd' }, body: 'x' }));
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    const { body } = await webhooks.call('POST', `/v1/webhooks/${endpointId}/test`);
    expect(body).toMatchObject({ delivered: true, status: 200 });
  });

  it('reads a bounded part of an answer and keeps how it begins (G9)', async () => {
    const app = await receiver(() => ({ status: 200, body: 'x'.repeat(5_000_000) }));
    const webhooks = await service([app]);
    const { endpointId } = await webhooks.create({ url: app.url });
    await webhooks.record(...events(1));
    await until(async () => (await webhooks.log(endpointId)).length === 1);
    expect((await webhooks.log(endpointId))[0]).toMatchObject({ outcome: 'delivered', answer: 'x'.repeat(500) });
  });
});
