import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { removeOldest } from '@sluice/event-log/conformance';
import { startTemporaryPostgres } from '@sluice/local-postgres';
import { END, message as said, sendReport, SessionEngine, type EngineCall } from './support/session-engine';
import { message, startSessions, until, type SessionsApp } from './support/sessions-app';

const textsOf = (events: readonly { content?: readonly { text?: string }[] }[]) =>
  events.flatMap(({ content = [] }) => content.map(({ text }) => text));

describe.each(['memory', 'embedded'] as const)('sessions after retention, on the %s engine', (name) => {
  let postgres: Awaited<ReturnType<typeof startTemporaryPostgres>> | undefined;
  let app: SessionsApp;
  let engine: SessionEngine;
  let engineId: string;
  let gate: Gate;
  let filesDir: string;

  beforeAll(async () => {
    postgres = name === 'embedded' ? await startTemporaryPostgres() : undefined;
    filesDir = await mkdtemp(join(tmpdir(), 'sluice-files-'));
    engine = await SessionEngine.start();
    gate = await new Gate().start();
    app = await startSessions({
      SLUICE_ENGINE: name,
      SLUICE_FILES_DIR: filesDir,
      ...(postgres && { SLUICE_DATABASE_URL: postgres.databaseUrl }),
      SLUICE_SESSION_CONFIRM_WAIT: '3s',
      SLUICE_ALLOW_PRIVATE_URLS: [engine.url, gate.url].map((url) => new URL(url).origin).join(),
    });
    engineId = await register(engine.url, engine.secrets);
  });
  afterAll(async () => {
    await app.stop();
    await engine.stop();
    await gate.stop();
    await postgres?.stop();
    await rm(filesDir, { recursive: true, force: true });
    expect(engine.faults).toEqual([]);
  });

  const register = async (url: string, secrets: string[]) => {
    const { body } = await app.call('POST', '/runtime/v1/engines', { name: 'test', url });
    secrets.push(body.secret);
    return body.id as string;
  };
  const removeAll = async () => removeOldest(await app.host.engine.eventRetention(), Infinity, { family: 'session' });
  const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
  const idle = (session: string) => app.whenTypes(session, (types) => types.at(-1) === 'session.status_idle');

  it('answers a repeated call by what is left, or says that it is not kept, and takes the next one (G2)', async () => {
    const session = await app.session(engineId);
    const path = `/v1/sessions/${session}`;
    const calls = {
      send: () => app.call('POST', `${path}/events`, { events: [message('once')] }, keyed('send')),
      update: () => app.call('POST', path, { title: 'changed' }, keyed('update')),
      archive: () => app.call('POST', `${path}/archive`, undefined, keyed('archive')),
      delete: () => app.call('DELETE', path, undefined, keyed('delete')),
    };
    const first = await calls.send();
    expect((await calls.send()).body).toEqual(first.body);
    await idle(session);
    const updated = await calls.update();
    await removeAll();
    expect(await app.events(session)).toEqual([]);
    const again = await calls.send();
    expect([again.status, again.body.error.details.error_code]).toEqual([409, 'idempotency_conflict']);
    expect((await calls.update()).body).toMatchObject({ title: 'changed', updated_at: updated.body.updated_at });
    expect((await app.send(session, message('next'))).status).toBe(200);
    expect(textsOf(await idle(session))).toEqual(['next', 'next']);
    for (const call of [calls.archive, calls.delete]) {
      const { status, body } = await call();
      await removeAll();
      const repeated = await call();
      expect([status, repeated.status, repeated.body.id]).toEqual([200, 200, body.id]);
    }
  });

  it('takes the repeated report of an engine for what it is', async () => {
    const session = await app.session(engineId);
    await app.send(session, message('silent'));
    const call = await until(() => engine.calls.find(({ session_id: id }) => id === session));
    const report = () => sendReport(call, { run_id: call.run_id, events: [said('one')] }, { id: 'msg_same' });
    expect(await report()).toEqual({ status: 200, body: { accepted: 1 } });
    await removeAll();
    expect(await report()).toEqual({ status: 200, body: { accepted: 1 } });
    await sendReport(call, { run_id: call.run_id, events: [said('two'), END] });
    expect(textsOf(await app.events(session))).toEqual(['two']);
  });

  it('gives a run up whose engine was not reached before its message was removed, and tells the next one', async () => {
    const session = await app.session(await register(gate.url, []));
    await app.send(session, message('lost'));
    await until(() => gate.attempts > 0 || undefined);
    await removeAll();
    gate.isAway = false;
    const events = await app.whenTypes(session, (types) => types.at(-1) === 'session.status_idle');
    expect(events.map(({ type }) => type)).toEqual(['session.error', 'session.status_idle']);
    await app.send(session, message('next'));
    const told = await until(() => gate.calls.find(({ session_id: id }) => id === session));
    expect([told.type, textsOf(told.input_events)]).toEqual(['run.start', ['next']]);
  });
});

/** An engine that can be away, and only hears. */
class Gate {
  isAway = true;
  attempts = 0;
  readonly calls: EngineCall[] = [];
  private readonly server = createServer((request, response) => {
    void json(request).then((call) => {
      this.attempts += 1;
      if (!this.isAway) this.calls.push(call as EngineCall);
      response.writeHead(this.isAway ? 503 : 204).end();
    });
  });

  async start(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
