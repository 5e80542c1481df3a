import { UnreadChanges } from './unread-changes';

const event = (entityId: string, id: string, workspaceId = 1) => ({
  id,
  entityId,
  workspaceId,
  family: 'workspace' as const,
  type: 'task_updated',
  schemaVersion: 1,
  occurredAt: 0,
  data: {},
});

it('keeps the newest change of each entity until that can be read', () => {
  const unread = new UnreadChanges({ unreadForgotten: () => undefined });
  unread.add(event('task/a', 'one'), undefined);
  const one = unread.of(1, 'task/a');
  unread.add(event('task/a', 'two'), 'command');
  if (one) unread.remove(1, 'task/a', one);
  const two = unread.of(1, 'task/a');
  expect(two).toEqual({ eventId: 'two', commandId: 'command' });
  expect(unread.of(2, 'task/a')).toBeUndefined();
  if (two) unread.remove(1, 'task/a', two);
  expect(unread.of(1, 'task/a')).toBeUndefined();
});

it('forgets the oldest beyond its most, and tells', () => {
  let forgotten = 0;
  const unread = new UnreadChanges({ unreadForgotten: () => forgotten++ }, 2);
  for (const id of ['a', 'b', 'a', 'c']) unread.add(event(`task/${id}`, id), undefined);
  expect(['a', 'b', 'c'].map((id) => unread.of(1, `task/${id}`)?.eventId)).toEqual(['a', undefined, 'c']);
  expect(forgotten).toBe(1);
});
