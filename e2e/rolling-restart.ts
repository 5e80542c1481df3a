import { until } from '@sluice/event-log/conformance';
import { SseFollower, type Follower } from './followers';
import { SocketFollower } from './socket-followers';
import type { ClusterSystem } from './system';

/** A workspace of its own, so that what other tests stored is not seen. */
const WORKSPACE_ID = 3;
const SSE_SUBSCRIBERS = 45;
const SOCKET_SUBSCRIBERS = 15;
const WRITERS = 4;
const TIMEOUT_MS = 120_000;

type RollingSystem = Pick<ClusterSystem, 'dev' | 'roll'>;

/** A follower and the ids of what it saw. */
class Watched {
  readonly seen: string[] = [];
  readonly follower: Follower;

  constructor(follow: (onEvent: (json: string) => void) => Follower) {
    this.follower = follow((json) => this.seen.push((JSON.parse(json) as { id: string }).id));
  }
}

/**
 * Restarts all replicas of `sse-stream`, one by one, while events are stored: every subscriber sees every event once and
 * in order, and the subscribers of one replica are not sent away at once.
 */
export async function assertRollingRestartLosesNothing(system: RollingSystem): Promise<void> {
  const { baseUrl } = system.dev();
  const apiKey = await issueKey(system);
  const target = () => ({ ...system.dev(), apiKey });
  const watch = (count: number, make: typeof SseFollower | typeof SocketFollower) =>
    Array.from({ length: count }, () => new Watched((onEvent) => new make({ target, onEvent })));
  const watched = [...watch(SSE_SUBSCRIBERS, SseFollower), ...watch(SOCKET_SUBSCRIBERS, SocketFollower)];
  const followers = watched.map(({ follower }) => follower);
  /** Of each writer, in its order. */
  const stored = Array.from({ length: WRITERS }, (): string[] => []);
  let isWriting = true;
  try {
    for (const follower of followers) follower.start();
    await until(() => followers.every(({ isOpen }) => isOpen), 'all subscribers are there', TIMEOUT_MS);
    const writing = Promise.all(
      stored.map(async (own, writer) => {
        for (let n = 0; isWriting; n++) own.push(await store(baseUrl, apiKey, `roll-${writer}`, n));
      }),
    );
    await system.roll('sse-stream');
    isWriting = false;
    await writing;
    await until(
      () => watched.every(({ seen }) => seen.length >= stored.flat().length),
      'every subscriber has everything',
      TIMEOUT_MS,
    );
  } finally {
    isWriting = false;
    for (const follower of followers) follower.close();
  }
  const [first] = watched;
  expect(first?.seen).toHaveLength(stored.flat().length);
  for (const own of stored) {
    const ofWriter = new Set(own);
    expect(first?.seen.filter((id) => ofWriter.has(id))).toEqual(own);
  }
  for (const { seen, follower } of watched) {
    expect(seen).toEqual(first?.seen);
    expect(follower.resets).toBe(0);
  }
  assertTold(followers.flatMap(({ ends }) => ends));
}

/** All were told that the replica shuts down; that the ends are spread is tested with the app, on its own clock. */
function assertTold(ends: readonly string[]): void {
  expect(new Set(ends)).toEqual(new Set(['shutting_down', '1012']));
  expect(ends.length).toBeGreaterThanOrEqual(SSE_SUBSCRIBERS);
}

async function store(baseUrl: string, apiKey: string, sandboxId: string, n: number): Promise<string> {
  const response = await fetch(`${baseUrl}/events?ack=log`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ sandboxId, type: 'roll', data: { n } }),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return ((await response.json()) as { data: { eventId: string } }).data.eventId;
}

async function issueKey(system: RollingSystem): Promise<string> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/admin/keys`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ workspaceId: WORKSPACE_ID, role: 'writer', name: 'rolling restart' }),
  });
  return ((await response.json()) as { apiKey: string }).apiKey;
}
