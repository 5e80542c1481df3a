import { describeSessionDeltas, NotingFollower } from './conformance';
import { MemorySessionDeltas } from './memory-session-deltas';

describeSessionDeltas('memory', async () => {
  const deltas = new MemorySessionDeltas();
  return { here: deltas, there: deltas, destroy: () => deltas.close() };
});

describe('MemorySessionDeltas', () => {
  it('tells of a gap in one session, or in all', () => {
    const deltas = new MemorySessionDeltas();
    const scopes = ['a', 'b'].map((sessionId) => ({ workspaceId: 1, sessionId }));
    const followers = scopes.map((scope) => {
      const follower = new NotingFollower();
      deltas.follow(scope, follower);
      return follower;
    });
    deltas.tellGap(scopes[0]);
    expect(followers.map(({ gaps }) => gaps)).toEqual([1, 0]);
    deltas.tellGap();
    expect(followers.map(({ gaps }) => gaps)).toEqual([2, 1]);
  });

  it('remembers nobody who has stopped', () => {
    const deltas = new MemorySessionDeltas();
    const scope = { workspaceId: 1, sessionId: 'a' };
    const stops = [new NotingFollower(), new NotingFollower()].map((follower) => deltas.follow(scope, follower));
    stops[0]?.();
    expect(deltas.isFollowed(scope)).toBe(true);
    stops[1]?.();
    expect(deltas.isFollowed(scope)).toBe(false);
  });
});
