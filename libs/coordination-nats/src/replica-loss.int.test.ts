import type { ConnectionLease, ConnectionSlots } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import { testNatsUrl } from '@sluice/nats-connection/conformance';
import { ALIVE_BELIEVED_MS, REPLICA_TTL_MS } from './options';
import { ChildReplica } from './testing/child-replica';
import { FAST_TIMING, TestReplicas, type ReplicaTiming } from './testing/test-replicas';

const KEY = 'registry/key/a';
const LIMIT = 10;
const TOO_MANY = expect.objectContaining({ code: 'too_many_connections' });

/** Seeks slots until it has this many. */
async function untilHeld(slots: ConnectionSlots, wanted: number, onLost: () => void): Promise<ConnectionLease[]> {
  const leases: ConnectionLease[] = [];
  await until(async () => {
    try {
      leases.push(await slots.acquire(KEY, LIMIT, onLost));
    } catch (error) {
      expect(error).toEqual(TOO_MANY);
    }
    return leases.length === wanted;
  }, `${wanted} slots are free`);
  return leases;
}

describe('NatsConnectionSlots when a replica is lost', () => {
  let replicas: TestReplicas;
  let child: ChildReplica;

  const open = async (timing: ReplicaTiming) => {
    replicas = new TestReplicas(testNatsUrl(), timing);
    return (await replicas.open()).coordination.connectionSlots;
  };

  const startChild = async (slots: number) => {
    const options = { servers: testNatsUrl(), names: replicas.names, ...replicas.timing };
    child = ChildReplica.start({ options, key: KEY, limit: LIMIT, slots });
    await until(() => child.held === slots, 'the child holds its slots');
  };

  afterEach(async () => {
    await child.end('SIGKILL');
    await replicas.destroy();
  });

  it('frees the slots of one that was killed', async () => {
    // After this the server has forgotten it, and nobody believes in it any more: 10 s at the most.
    expect(REPLICA_TTL_MS + ALIVE_BELIEVED_MS).toBeLessThan(10_000);
    const survivor = await open({});
    await startChild(LIMIT);
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    await child.end('SIGKILL');
    await untilHeld(survivor, 1, fail);
    await untilHeld(survivor, LIMIT - 1, fail);
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
  });

  it('frees the slots of one that ends cleanly without waiting for its death to be known', async () => {
    const survivor = await open({ replicaTtlMs: 300_000 });
    await startChild(LIMIT);
    await child.end('SIGTERM');
    await untilHeld(survivor, LIMIT, fail);
  });

  it('tells one that was frozen, and comes back, what it lost meanwhile', async () => {
    const survivor = await open(FAST_TIMING);
    await startChild(6);
    child.signal('SIGSTOP');
    const [first, ...rest] = await untilHeld(survivor, LIMIT, fail);
    expect(child.held).toBe(6);
    child.signal('SIGCONT');
    await until(() => child.held === 0, 'the child has lost all its slots');
    // The others keep theirs, and what they give back is free again.
    first?.release();
    await untilHeld(survivor, 1, fail);
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    expect(rest).toHaveLength(LIMIT - 1);
  });

  it('leaves one that was frozen what nobody took', async () => {
    const survivor = await open(FAST_TIMING);
    await startChild(6);
    child.signal('SIGSTOP');
    await untilHeld(survivor, 7, fail);
    child.signal('SIGCONT');
    await until(() => child.held === 3, 'the child has lost what the other took');
    await expect(survivor.acquire(KEY, LIMIT, fail)).rejects.toEqual(TOO_MANY);
    expect(child.held).toBe(3);
  });
});

function fail(): never {
  throw new Error('a slot was lost');
}
