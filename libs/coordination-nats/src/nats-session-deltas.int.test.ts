import {
  acquaint,
  deltaOf,
  deltaStartOf,
  describeSessionDeltas,
  NotingFollower,
} from '@sluice/agent-sessions/conformance';
import { until } from '@sluice/event-log/conformance';
import { Relay, testNatsUrl } from '@sluice/nats-connection/conformance';
import { TestReplicas } from './testing/test-replicas';

describeSessionDeltas('NATS', async () => {
  const replicas = new TestReplicas(testNatsUrl());
  const [here, there] = await Promise.all([replicas.open(), replicas.open()]);
  return {
    here: here.coordination.sessionDeltas,
    there: there.coordination.sessionDeltas,
    destroy: () => replicas.destroy(),
  };
});

describe('deltas of sessions over NATS', () => {
  const scope = { workspaceId: 1, sessionId: 'sesn_a' };
  let replicas: TestReplicas;
  beforeEach(() => {
    replicas = new TestReplicas(testNatsUrl());
  });
  afterEach(() => replicas.destroy());

  it('are told in as many messages as they need', async () => {
    const [here, there] = [await replicas.open(), await replicas.open()];
    const follower = new NotingFollower();
    there.coordination.sessionDeltas.follow(scope, follower);
    await acquaint(here.coordination.sessionDeltas, scope, follower);
    const many = Array.from({ length: 1_200 }, (_, n) => deltaOf('m', `${n} `));
    const large = Array.from({ length: 20 }, () => deltaOf('m', '\u0001'.repeat(16_384)));
    here.coordination.sessionDeltas.publish(scope, [...many, ...large]);
    await until(() => follower.heard.length >= 1_220, 'all is heard');
    expect(follower.heard).toEqual([...many, ...large]);
    expect(follower.gaps).toBe(0);
  });

  it('are a gap where there were more than a replica may tell, and go on after it', async () => {
    const here = await replicas.open({ deltaBytesPerSecond: 20_000 });
    const there = await replicas.open();
    const follower = new NotingFollower();
    there.coordination.sessionDeltas.follow(scope, follower);
    await acquaint(here.coordination.sessionDeltas, scope, follower);
    const { sessionDeltas } = here.coordination;
    sessionDeltas.publish(
      scope,
      Array.from({ length: 10 }, () => deltaOf('m', 'x'.repeat(16_000))),
    );
    expect(here.metrics).toContainEqual({ kind: 'deltas_dropped', deltas: 10 });
    await until(() => {
      sessionDeltas.publish(scope, [deltaStartOf('next')]);
      return follower.heard.length > 0;
    }, 'it hears again');
    expect(follower.gaps).toBe(1);
    expect(follower.heard[0]).toEqual(deltaStartOf('next'));
  });

  it('are dropped while NATS is away, which is no fault of who publishes, and known as a gap by both sides', async () => {
    const relay = await Relay.prepare(testNatsUrl());
    await relay.open();
    try {
      const [here, cutOff] = [await replicas.open(), await replicas.open({ servers: relay.url })];
      const [atHere, atCutOff] = [new NotingFollower(), new NotingFollower()];
      here.coordination.sessionDeltas.follow(scope, atHere);
      cutOff.coordination.sessionDeltas.follow(scope, atCutOff);
      await acquaint(cutOff.coordination.sessionDeltas, scope, atHere);
      await acquaint(here.coordination.sessionDeltas, scope, atCutOff);
      atHere.heard.length = 0;
      await relay.close();
      await until(() => !cutOff.coordination.connectionSlots.isShared, 'it is cut off');
      const gapsBefore = atCutOff.gaps;
      cutOff.coordination.sessionDeltas.publish(scope, [deltaStartOf('lost')]);
      expect(cutOff.metrics).toContainEqual({ kind: 'deltas_dropped', deltas: 1 });
      expect(atCutOff.heard).toContainEqual(deltaStartOf('lost'));
      await relay.open();
      await until(() => atCutOff.gaps > gapsBefore, 'it knows that it missed something');
      await until(() => {
        cutOff.coordination.sessionDeltas.publish(scope, [deltaStartOf('found')]);
        return atHere.heard.length > 0;
      }, 'it is heard again');
      expect(atHere.heard[0]).toEqual(deltaStartOf('found'));
      expect(atHere.gaps).toBe(1);
    } finally {
      await relay.close();
    }
  });
});
