import { MAX_TOLD_CALLERS, type Principal } from '@sluice/access';
import { acquaint, deltaStartOf, NotingFollower } from '@sluice/agent-sessions/conformance';
import { PRESENCE_LIMITS } from '@sluice/delivery';
import { until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { createAppHost, hostSettings, toHostConfig, type AppHost } from '../src';
import { testNatsUrl } from './config';

const POOL = { pool: 'registry', limit: 3 };

const never = () => {
  throw new Error('a slot was lost');
};

/** A process of the cluster engine. Nothing of it is opened but what replicas tell each other. */
function host(natsUrl: string): AppHost {
  const definition = hostSettings({ httpPort: 0 });
  const env = {
    SLUICE_ENGINE: 'cluster',
    SLUICE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    SLUICE_KAFKA_BROKERS: '127.0.0.1:1',
    SLUICE_NATS_URL: natsUrl,
    // One name for every run, so that no run leaves more at the server than another.
    SLUICE_BROKER_PREFIX: 'test-engine',
    SLUICE_KEY_REQUESTS_PER_SECOND: '1',
    SLUICE_LOG_LEVEL: 'error',
  };
  return createAppHost(toHostConfig('test', parseSettings(definition, readEnv(definition, env))));
}

describe('what the processes of the cluster engine tell each other', () => {
  const hosts: AppHost[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((each) => each.close())));

  const open = (natsUrl = testNatsUrl()) => {
    const opened = host(natsUrl);
    hosts.push(opened);
    return opened;
  };
  const someKey = (): Principal => {
    return { kind: 'api_key', keyId: crypto.randomUUID(), workspaceId: 1, role: 'reader', limits: {} };
  };

  it('bounds the connections of a key over all of them, and shows it as metrics', async () => {
    const [one, other] = [open(), open()];
    const caller = someKey();
    await one.limiter.openSharedConnection(caller, POOL, never);
    await one.limiter.openSharedConnection(caller, POOL, never);
    await other.limiter.openSharedConnection(caller, POOL, never);
    await expect(other.limiter.openSharedConnection(caller, POOL, never)).rejects.toMatchObject({
      code: 'too_many_connections',
    });
    const metrics = await other.metrics.expose();
    for (const line of [
      'sluice_coordination_shared 1',
      'sluice_connection_slots 1',
      'sluice_connection_slots_sought_total{outcome="shared"} 1',
      'sluice_connection_slots_sought_total{outcome="refused"} 1',
    ]) {
      expect(metrics.split('\n')).toContain(line);
    }
    await one.close();
    const isGiven = async () => {
      const lease = await other.limiter.openSharedConnection(caller, POOL, never).catch(() => undefined);
      return lease !== undefined;
    };
    await until(isGiven, 'a slot of the one that closed is free');
  });

  it('bounds the requests of a key over all of them', async () => {
    const [one, other] = [open(), open()];
    await until(async () => {
      for (const each of [one, other]) each.limiter.takeRequest(someKey());
      return (await other.metrics.expose()).includes('sluice_rates_exchanged_total{direction="heard"}');
    }, 'they hear each other');
    const caller = someKey();
    one.limiter.takeRequest(caller);
    one.limiter.takeRequest(caller);
    await until(() => other.limiter.remaining(caller).remaining === 0, 'the other hears of it');
    expect(() => other.limiter.takeRequest(caller)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  });

  it('shows who is present at all of them', async () => {
    const [one, other] = [open(), open()];
    const place = { workspaceId: 1, group: crypto.randomUUID() };
    let seen = 0;
    await (await one.presence()).join(place, 'ada', (present) => (seen = present.length));
    await (await other.presence()).join(place, 'bob', () => undefined);
    await until(() => seen === 2, 'ada sees bob');
  });

  it('shows at each what is made in sessions at another, and counts it', async () => {
    const [one, other] = [open(), open()];
    const [here, there] = [await one.engine.coordination(), await other.engine.coordination()];
    const scope = { workspaceId: 1, sessionId: crypto.randomUUID() };
    const follower = new NotingFollower();
    there.sessionDeltas.follow(scope, follower);
    await acquaint(here.sessionDeltas, scope, follower);
    here.sessionDeltas.publish(scope, [deltaStartOf('m')]);
    await until(() => follower.heard.length > 0, 'it is heard');
    expect(follower.heard).toEqual([deltaStartOf('m')]);
    for (const [{ metrics }, direction] of [
      [one, 'told'],
      [other, 'heard'],
    ] as const) {
      expect(await metrics.expose()).toContain(`sluice_session_deltas_exchanged_total{direction="${direction}"}`);
    }
  });

  it('gives slots, counted alone, where there is no NATS', async () => {
    const lonely = open('nats://127.0.0.1:1');
    const caller = someKey();
    await lonely.limiter.openSharedConnection(caller, POOL, never);
    const metrics = await lonely.metrics.expose();
    expect(metrics).toContain('sluice_connection_slots_sought_total{outcome="alone"} 1');
  });

  it('shows as metrics who was refused because something is full', async () => {
    const one = open();
    const board = await one.presence();
    const place = { workspaceId: 1, group: crypto.randomUUID() };
    for (let n = 0; n < PRESENCE_LIMITS.groupMembers; n++) await board.join(place, 'n', () => undefined);
    await expect(board.join(place, 'n', () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
    const callers = Array.from({ length: MAX_TOLD_CALLERS + 3 }, someKey);
    for (const caller of callers) one.limiter.takeRequest(caller);
    await until(async () => {
      const metrics = await one.metrics.expose();
      return metrics.includes('sluice_rates_untold_total{bound="callers_told"} 3');
    }, 'the callers that are too many are counted');
    expect(await one.metrics.expose()).toContain('sluice_presence_refused_total{full="group"} 1');
  });
});
