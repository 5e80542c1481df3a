import { createdWith, faultsOf } from './kafka-topic-settings';

/** A topic as Sluice makes it, on three brokers. */
const found = (minInSync: number, replicas = 3) => ({
  replicas,
  settings: new Map(
    Object.entries({
      ...createdWith({ keep: 'everything', replicationFactor: 3 }),
      'min.insync.replicas': minInSync,
    }).map(([name, value]) => [name, String(value)]),
  ),
});

describe('how many copies an acknowledged record has', () => {
  const faults = (
    minInSync: number,
    replicas: number,
    wanted: { replicationFactor: number; minInSyncReplicas?: number },
  ) =>
    faultsOf(found(minInSync, replicas), { keep: 'everything', ...wanted }).map(({ setting, is, wanted: should }) =>
      [setting, is, should].join(' | '),
    );

  it.each([
    [1, 1, { replicationFactor: 1 }],
    [2, 2, { replicationFactor: 1 }],
    [2, 3, { replicationFactor: 3, minInSyncReplicas: 2 }],
    [3, 3, { replicationFactor: 3, minInSyncReplicas: 2 }],
  ])('is right with %d in sync of %d', (minInSync, replicas, wanted) => {
    expect(faults(minInSync, replicas, wanted)).toEqual([]);
  });

  it('is one where one in sync is enough for the topic, whatever was asked for', () => {
    const wanted = ['min.insync.replicas | 1 | 2 to 3'];
    expect(faults(1, 3, { replicationFactor: 3, minInSyncReplicas: 2 })).toEqual(wanted);
    expect(faults(1, 3, { replicationFactor: 3 })).toEqual(wanted);
    expect(faults(1, 3, { replicationFactor: 1, minInSyncReplicas: 1 })).toEqual(wanted);
    expect(faults(1, 2, { replicationFactor: 1 })).toEqual(['min.insync.replicas | 1 | 2']);
  });

  it('is fewer than was asked for', () => {
    expect(faults(2, 3, { replicationFactor: 3, minInSyncReplicas: 3 })).toEqual(['min.insync.replicas | 2 | 3']);
    expect(faults(2, 2, { replicationFactor: 3, minInSyncReplicas: 2 })).toEqual([
      'replication.factor | 2 | 3 or more',
    ]);
  });

  it('is none where more have to be in sync than there are', () => {
    expect(faults(3, 2, { replicationFactor: 2 })).toEqual(['min.insync.replicas | 3 | 2']);
  });
});

it('says of a setting that the broker does not name that it is unknown', () => {
  const topic = { replicas: 1, settings: new Map([['cleanup.policy', 'delete']]) };
  const faults = faultsOf(topic, { keep: 'everything', replicationFactor: 1 });
  expect(faults.map(({ setting, is }) => [setting, is])).toEqual([
    ['retention.ms', 'unknown'],
    ['retention.bytes', 'unknown'],
    ['min.insync.replicas', 'unknown'],
    ['max.message.bytes', 'unknown'],
  ]);
});
