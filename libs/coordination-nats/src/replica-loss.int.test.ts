import type { ConnectionLease, ConnectionSlots } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import { REPLICA_TTL_MS } from './options';
import { ChildReplica } from './testing/child-replica';
import { testNatsUrl } from './testing/config';
import { TestReplicas } from './testing/test-replicas';

const KEY = 'registry/key/a';
const LIMIT = 10;
const TOO_MANY = expect.objectContaining({ code: 'too_many_connections' });

/** Seeks places until it has this many. */
async function untilHeld(slots: ConnectionSlots, places: number, onLost: () => void): Promise<ConnectionLease[]> {
  const leases: ConnectionLease[] = [];
  await until(async () => {
    try {
      leases.push(await slots.acquire(KEY, LIMIT, onLost));
    } catch (error) {
      expect(error).toEqual(TOO_MANY);
    }
    return leases.length === places;
  }, `${places} places are free`);
  return leases;
}

describe('NatsConnectionSlots when a replica is lost', () => {
  let replicas: TestReplicas;
  let child: ChildReplica;

  const startChild = async (places: number) => {
    child = ChildReplica.start({ servers: testNatsUrl(), names: replicas.names, key: KEY, limit: LIMIT, places });
    await until(() => child.held === places, 'the child holds its places');
  };

  beforeEach(() => {
    replicas = new TestReplicas(testNatsUrl());
  });
  afterEach(async () => {
    await child.end('SIGKILL');
    await replicas.destroy();
  });

  it('frees the places of one that was killed within 10 s, and not before it can be known', async () => {
    const { coordination } = await replicas.open();
    await startChild(LIMIT);
    const survivor = coordination.connectionSlots;
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    await child.end('SIGKILL');
    const killedAt = performance.now();
    await untilHeld(survivor, 1, fail);
    const freeAfterMs = performance.now() - killedAt;
    expect(freeAfterMs).toBeGreaterThan(REPLICA_TTL_MS / 2);
    expect(freeAfterMs).toBeLessThan(10_000);
    await untilHeld(survivor, LIMIT - 1, fail);
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
  });

  it('frees the places of one that ends cleanly at once', async () => {
    const { coordination } = await replicas.open();
    await startChild(LIMIT);
    await child.end('SIGTERM');
    const endedAt = performance.now();
    await untilHeld(coordination.connectionSlots, LIMIT, fail);
    expect(performance.now() - endedAt).toBeLessThan(REPLICA_TTL_MS / 2);
  });

  it('tells one that was frozen, and comes back, what it lost meanwhile', async () => {
    const { coordination } = await replicas.open();
    await startChild(6);
    child.signal('SIGSTOP');
    const [first, ...rest] = await untilHeld(coordination.connectionSlots, LIMIT, fail);
    expect(child.held).toBe(6);
    child.signal('SIGCONT');
    await until(() => child.held === 0, 'the child has lost all its places');
    // The others keep theirs, and what they give back is free again.
    first?.release();
    await untilHeld(coordination.connectionSlots, 1, fail);
    await expect(coordination.connectionSlots.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    expect(rest).toHaveLength(LIMIT - 1);
  });

  it('leaves one that was frozen what nobody took', async () => {
    const { coordination } = await replicas.open();
    await startChild(6);
    child.signal('SIGSTOP');
    await untilHeld(coordination.connectionSlots, 7, fail);
    child.signal('SIGCONT');
    await until(() => child.held === 3, 'the child has lost what the other took');
    await expect(coordination.connectionSlots.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    expect(child.held).toBe(3);
  });
});

function fail(): never {
  throw new Error('a place was lost');
}
