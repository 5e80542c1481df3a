import { until } from '@sluice/event-log/conformance';
import type { SocketClient } from './socket-client';
import { OPERATOR_KEY, range, startSockets, type SocketService } from './socket-service';

describe('presence', () => {
  let service: SocketService;
  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());

  const join = async (name: string, group = 'g', key?: string): Promise<SocketClient> => {
    const client = await service.connect('/v1/socket', { key: key ?? (await service.key()) });
    client.say({ type: 'subscribe', id: 's', presence: { group, name } });
    await client.receives('presence');
    return client;
  };
  const names = (client: SocketClient): string[] =>
    client
      .of('presence')
      .at(-1)
      .present.map(({ name }: { name: string }) => name);
  const sees = (client: SocketClient, ...expected: string[]) =>
    until(() => names(client).join() === expected.join(), `sees ${expected.join()}`);

  it('shows who is in a group, in the order in which they came, until they leave', async () => {
    const ada = await join('Ada L.');
    await sees(ada, 'Ada L.');
    const bob = await join('Bob');
    await sees(bob, 'Ada L.', 'Bob');
    await sees(ada, 'Ada L.', 'Bob');
    const told = ada.of('presence').at(-1);
    expect(told).toMatchObject({ id: 's', total: 2 });
    expect(told.present.map(({ memberId }: { memberId: string }) => memberId)).toContain(told.memberId);
    bob.say({ type: 'unsubscribe', id: 's' });
    await sees(ada, 'Ada L.');
    const carol = await join('Carol');
    await sees(ada, 'Ada L.', 'Carol');
    carol.destroy();
    await sees(ada, 'Ada L.');
    // One that has left is told nothing more.
    expect(names(bob)).toEqual(['Ada L.', 'Bob']);
  });

  it('is nothing to those who did not ask for it', async () => {
    const silent = await service.connect('/v1/socket');
    silent.say({ type: 'subscribe', id: 's' });
    await silent.receives('caught_up');
    const ada = await join('Ada');
    await sees(ada, 'Ada');
    expect(silent.of('presence')).toEqual([]);
  });

  it('stays within a group and within a workspace (G8)', async () => {
    const own = await join('own');
    const foreign = await join('foreign', 'g', await service.key({ workspaceId: 2 }));
    const other = await join('other', 'h');
    const witness = await join('witness');
    await sees(own, 'own', 'witness');
    await sees(foreign, 'foreign');
    await sees(other, 'other');
    expect(names(witness)).not.toContain('foreign');
  });

  it('of an operator is in the workspace that it names', async () => {
    const client = await service.connect('/v1/socket', { key: OPERATOR_KEY });
    client.say({
      type: 'subscribe',
      id: 'a',
      filter: { families: ['registry'] },
      presence: { group: 'g', name: 'op' },
    });
    expect(await client.receives('error')).toMatchObject({ code: 'invalid_request', where: 'filter.workspaceId' });
    const two = await join('two', 'g', await service.key({ workspaceId: 2 }));
    client.say({ type: 'subscribe', id: 'a', filter: { workspaceId: 2 }, presence: { group: 'g', name: 'op' } });
    await sees(two, 'two', 'op');
  });

  it('of those who read public events alone is still in their own workspace', async () => {
    const subscribe = async (workspaceId: number) => {
      const client = await service.connect('/v1/socket', { key: await service.key({ workspaceId }) });
      const name = `of ${workspaceId}`;
      client.say({ type: 'subscribe', id: 's', filter: { families: ['registry'] }, presence: { group: 'g', name } });
      await client.receives('presence');
      return client;
    };
    const [one, two] = [await subscribe(1), await subscribe(2)];
    await sees(one, 'of 1');
    await sees(two, 'of 2');
  });

  it('names so many, and counts the others (G9)', async () => {
    await service.stop();
    service = await startSockets({ presentShown: 3 });
    const client = await service.connect('/v1/socket');
    for (const n of range(1, 5)) {
      client.say({ type: 'subscribe', id: `s${n}`, credit: 0, presence: { group: 'g', name: `n${n}` } });
    }
    await until(() => client.of('presence').at(-1)?.total === 5, 'all are counted');
    expect(names(client)).toHaveLength(3);
  });
});
