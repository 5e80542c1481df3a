import { until } from '@sluice/event-log/conformance';
import type { SessionDelta } from '@sluice/event-schema';
import type { SessionDeltas, SessionScope } from '../session-deltas';

export interface SessionDeltasHarness {
  /** As one process has it. */
  readonly here: SessionDeltas;
  /** As another of the same installation has it; the same one where there is no other. */
  readonly there: SessionDeltas;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

export const deltaStartOf = (id: string): SessionDelta => ({
  type: 'event_start',
  event: { type: 'agent.message', id },
});
export const deltaOf = (id: string, text: string): SessionDelta => ({
  type: 'event_delta',
  event_id: id,
  delta: { type: 'content_delta', index: 0, content: { type: 'text', text } },
});

/** Notes what it is told. */
export class NotingFollower {
  readonly heard: SessionDelta[] = [];
  gaps = 0;

  onDeltas(deltas: readonly SessionDelta[]): void {
    this.heard.push(...deltas);
  }

  onGap(): void {
    this.gaps += 1;
  }
}

/** Publishes at one side until all who follow at the other can hear it; they forget that then. */
export async function acquaint(
  publisher: SessionDeltas,
  scope: SessionScope,
  ...followers: readonly NotingFollower[]
): Promise<void> {
  await until(() => {
    publisher.publish(scope, [deltaStartOf('probe')]);
    return followers.every(({ heard }) => heard.length > 0);
  }, 'they hear');
  // What is on its way still is before this.
  publisher.publish(scope, [deltaStartOf('last-probe')]);
  const isLast = ({ heard }: NotingFollower) => JSON.stringify(heard.at(-1)).includes('last-probe');
  await until(() => followers.every(isLast), 'they have heard all');
  for (const follower of followers) {
    follower.heard.length = 0;
    follower.gaps = 0;
  }
}

/** What every SessionDeltas must do. Run it with a harness around each implementation. */
export function describeSessionDeltas(name: string, createHarness: () => Promise<SessionDeltasHarness>): void {
  describe(`SessionDeltas: ${name}`, () => {
    const scope = { workspaceId: 1, sessionId: 'sesn_a' };
    let here: SessionDeltas;
    let there: SessionDeltas;
    let destroy: () => Promise<void> = () => Promise.resolve();
    beforeEach(async () => {
      ({ here, there, destroy } = await createHarness());
    });
    afterEach(() => destroy());

    const followerOf = (deltas: SessionDeltas, followed: SessionScope = scope) => {
      const follower = new NotingFollower();
      return Object.assign(follower, { stop: deltas.follow(followed, follower) });
    };

    it('tells all who follow a session, in the order of who publishes, once', async () => {
      const followers = [followerOf(here), followerOf(there), followerOf(there)];
      await acquaint(here, scope, ...followers);
      const told = [deltaStartOf('m'), ...Array.from({ length: 50 }, (_, n) => deltaOf('m', `${n} `))];
      for (const delta of told.slice(0, 40)) here.publish(scope, [delta]);
      here.publish(scope, told.slice(40));
      for (const { heard } of followers) {
        await until(() => heard.length >= told.length, 'all is heard');
        expect(heard).toEqual(told);
      }
      expect(followers.map(({ gaps }) => gaps)).toEqual([0, 0, 0]);
    });

    it('tells who follows in the same process before it returns', () => {
      const follower = followerOf(here);
      here.publish(scope, [deltaStartOf('m')]);
      expect(follower.heard).toEqual([deltaStartOf('m')]);
    });

    it('tells nobody of another session, nor of a session of the same name in another workspace (G8)', async () => {
      const follower = followerOf(there);
      const strangers = [
        { ...scope, sessionId: 'sesn_b' },
        { ...scope, workspaceId: 2 },
      ].map((other) => ({ other, follower: followerOf(there, other) }));
      await acquaint(here, scope, follower);
      for (const stranger of strangers) await acquaint(here, stranger.other, stranger.follower);
      here.publish(scope, [deltaStartOf('m')]);
      await until(() => follower.heard.length > 0, 'it is heard');
      // Each hears what comes later of its own, and that alone.
      for (const stranger of strangers) {
        here.publish(stranger.other, [deltaStartOf('own')]);
        await until(() => stranger.follower.heard.length > 0, 'their own is heard');
        expect(stranger.follower.heard).toEqual([deltaStartOf('own')]);
      }
      expect(follower.heard).toEqual([deltaStartOf('m')]);
    });

    it('tells nothing more to who has stopped, which may be asked twice, and goes on with the others', async () => {
      const [one, other] = [followerOf(there), followerOf(there)];
      await acquaint(here, scope, one, other);
      one.stop();
      one.stop();
      here.publish(scope, [deltaStartOf('m')]);
      await until(() => other.heard.length > 0, 'the other hears it');
      expect(one.heard).toEqual([]);
      other.stop();
      const again = followerOf(there);
      await acquaint(here, scope, again);
      expect([one.heard, other.heard]).toEqual([[], [deltaStartOf('m')]]);
    });

    it('tells nobody of what was before', async () => {
      here.publish(scope, [deltaStartOf('before')]);
      const follower = followerOf(there);
      await acquaint(here, scope, follower);
      here.publish(scope, [deltaStartOf('m')]);
      await until(() => follower.heard.length > 0, 'it is heard');
      expect(follower.heard).toEqual([deltaStartOf('m')]);
    });

    it('tells nothing of nothing, and needs nobody who follows', async () => {
      here.publish(scope, [deltaStartOf('nobody')]);
      const follower = followerOf(here);
      here.publish(scope, []);
      expect(follower.heard).toEqual([]);
    });

    it('tells nobody once it is closed, which may be asked twice', async () => {
      const follower = followerOf(here);
      await here.close();
      await here.close();
      here.publish(scope, [deltaStartOf('m')]);
      expect(follower.heard).toEqual([]);
    });
  });
}
