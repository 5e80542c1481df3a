import { SessionWorld, status, waitingWorld, working } from '../../test/session-world';
import { decideArchive } from './end-of-session';
import type { UpdateSession } from './inputs';
import { decideUpdate } from './update';

const accepted = { kind: 'accepted' };
const conflict = { kind: 'refused', refusal: { code: 'conflict' } };
const invalid = { kind: 'refused', refusal: { code: 'invalid_request' } };

describe('updates', () => {
  const update = (world: SessionWorld, fields: UpdateSession) =>
    world.run((state, ctx) => decideUpdate(state, fields, ctx));

  it('tells what changed, and only that', () => {
    const world = new SessionWorld({ title: 'a', metadata: { keep: '1', drop: '2' } });
    update(world, { title: 'b', metadata: { drop: null, add: '3' } });
    expect(world.session).toMatchObject({ title: 'b', metadata: { keep: '1', add: '3' } });
    expect(world.events.at(-1)).toEqual({
      id: expect.any(String) as string,
      type: 'session.updated',
      processed_at: '2026-01-02T03:04:05.000Z',
      title: 'b',
      metadata: { keep: '1', add: '3' },
    });
    update(world, { agent: { tools: [{ type: 'custom' }] } });
    expect(world.events.at(-1)).toMatchObject({ agent: { id: 'agent_1', tools: [{ type: 'custom' }] } });
    expect(world.events.at(-1)?.['agent']).not.toHaveProperty('metadata');
  });

  it('stores nothing when nothing changes', () => {
    const world = new SessionWorld({ title: 'a', metadata: { x: 'y' } });
    const before = world.session;
    update(world, { title: 'a', metadata: { x: 'y', z: null }, agent: { tools: [] } });
    expect(world.session).toBe(before);
  });

  it('bounds metadata', () => {
    const world = new SessionWorld({
      metadata: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, ''])),
    });
    expect(update(world, { metadata: { more: '1' } })).toMatchObject(invalid);
    expect(update(world, { metadata: { more: '1', k0: null } })).toMatchObject(accepted);
  });

  it('refuses what the state does not allow', () => {
    expect(update(working(), { agent: { tools: [{}] } })).toMatchObject(conflict);
    expect(update(working(), { title: 'b' })).toMatchObject(accepted);
    expect(update(waitingWorld('tool_1'), { agent: { tools: [{}] } })).toMatchObject(accepted);
    const terminated = working(status('terminated'));
    expect(update(terminated, { budget: null })).toMatchObject(conflict);
    expect(update(terminated, { title: 'b' })).toMatchObject(accepted);
    const archived = new SessionWorld();
    archived.run(decideArchive);
    expect(update(archived, { title: 'b' })).toMatchObject(conflict);
  });

  it('lets a budget be replaced or removed, never added', () => {
    const world = new SessionWorld({ budget: { type: 'limit', max_list_cost: { amount: '1', currency: 'USD' } } });
    const more = { type: 'limit', max_list_cost: { amount: '2', currency: 'USD' } };
    expect(update(world, { budget: more })).toMatchObject(accepted);
    update(world, { budget: null });
    expect(world.events.at(-1)).toMatchObject({ type: 'session.updated', budget: null });
    expect(update(world, { budget: more })).toMatchObject(invalid);
  });
});
