import type { PresentSubscriber } from '@sluice/delivery';
import { describePresenceBoard } from '@sluice/delivery/conformance';
import { until } from '@sluice/event-log/conformance';
import { Relay, testNatsUrl } from '@sluice/nats-connection/conformance';
import { ChildReplica } from './testing/child-replica';
import { FAST_TIMING, TestReplicas, type TestReplica } from './testing/test-replicas';

describePresenceBoard('NATS', async () => {
  const replicas = new TestReplicas(testNatsUrl());
  return {
    open: async () => (await replicas.open()).coordination.presence,
    destroy: () => replicas.destroy(),
  };
});

describe('NatsPresenceBoard when replicas do not hear each other', () => {
  const PLACE = { workspaceId: 1, group: 'room' };
  let replicas: TestReplicas;
  let child: ChildReplica | undefined;
  let relay: Relay | undefined;

  beforeEach(() => {
    replicas = new TestReplicas(testNatsUrl(), FAST_TIMING);
  });
  afterEach(async () => {
    await child?.end('SIGKILL');
    await replicas.destroy();
    await relay?.close();
    child = relay = undefined;
  });

  async function joined({ coordination }: TestReplica, name: string) {
    const view = { present: [] as readonly PresentSubscriber[] };
    await coordination.presence.join(PLACE, name, (present) => (view.present = present));
    return view;
  }

  const startChild = () => {
    const options = { servers: testNatsUrl(), names: replicas.names, ...replicas.timing };
    child = ChildReplica.start({ options, key: 'k', limit: 1, slots: 0, group: PLACE.group });
    return child;
  };

  it('shows nobody of a replica that was killed', async () => {
    const view = await joined(await replicas.open(), 'seer');
    const killed = startChild();
    await until(() => view.present.length === 2, 'the child is seen');
    await killed.end('SIGKILL');
    await until(() => view.present.length === 1, 'the child is gone');
  });

  it('shows those of a replica that was frozen again when it comes back', async () => {
    const view = await joined(await replicas.open(), 'seer');
    const frozen = startChild();
    await until(() => view.present.length === 2 && frozen.present === 2, 'both are seen');
    frozen.signal('SIGSTOP');
    await until(() => view.present.length === 1, 'the child is gone');
    await joined(await replicas.open(), 'late');
    frozen.signal('SIGCONT');
    await until(() => view.present.length === 3 && frozen.present === 3, 'all are seen');
  });

  it('shows its own while it is cut off, and all afterwards', async () => {
    relay = await Relay.prepare(testNatsUrl());
    await relay.open();
    const here = await joined(await replicas.open(), 'here');
    const cutOffReplica = await replicas.open({ servers: relay.url });
    const cutOff = await joined(cutOffReplica, 'cut off');
    await until(() => here.present.length === 2 && cutOff.present.length === 2, 'both are seen');
    await relay.close();
    await until(() => here.present.length === 1, 'the one cut off is gone');
    await joined(cutOffReplica, 'beside');
    await relay.open();
    await until(() => here.present.length === 3 && cutOff.present.length === 3, 'all are seen');
  });
});
