import { Agent, request } from 'node:http';
import { until } from '@sluice/event-log/conformance';
import { untilAnswer } from './polling';
import { SseSubscriber, TcpSubscriber, type CutSubscriber } from './subscribers';
import type { System } from './system';

const EVENTS = 10_000;
const WRITERS = 16;
const SANDBOXES = ['sandbox-a', 'sandbox-b', 'sandbox-c', 'sandbox-d'] as const;
/** A workspace of its own, so that what other tests stored is not seen. */
const WORKSPACE_ID = 2;
const CUTS = 20;
const ACKNOWLEDGE_TIMEOUT_MS = 120_000;
const SEEN_TIMEOUT_MS = 120_000;

/** What is done to the system once a share of the events is acknowledged. */
export interface Fault {
  readonly atShare: number;
  readonly run: () => Promise<void>;
}

interface Marker {
  readonly writer: number;
  readonly n: number;
}

/**
 * Stores 10,000 events by 16 writers while subscribers are cut at random and faults are injected, and asserts that each
 * subscriber and the query door saw every acknowledged event exactly once and in entity order (G1, G2, G3, G4, G6).
 */
export async function assertExactlyOnce(system: System, faults: readonly Fault[], seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { apiKey } = await administer<{ apiKey: string }>(system, 'keys', {
    workspaceId: WORKSPACE_ID,
    role: 'reader',
  });
  const tokens = new Map<string, string>();
  for (const sandboxId of SANDBOXES) {
    const request = { workspaceId: WORKSPACE_ID, sandboxId, ttlSeconds: 3600 };
    tokens.set(sandboxId, (await administer<{ accessToken: string }>(system, 'tokens', request)).accessToken);
  }
  const tokenOf = (sandboxId: string): string => tokens.get(sandboxId) ?? '';

  const perSandbox = EVENTS / SANDBOXES.length;
  const whole = new SseSubscriber(() => ({ baseUrl: system.dev().baseUrl, apiKey }), randomCuts(random, EVENTS));
  const single = SANDBOXES.map(
    (sandboxId) =>
      new TcpSubscriber(
        () => ({ ...system.dev().pubsub, accessToken: tokenOf(sandboxId) }),
        sandboxId,
        randomCuts(random, perSandbox),
      ),
  );
  const subscribers: CutSubscriber[] = [whole, ...single];
  for (const subscriber of subscribers) subscriber.start();

  const acknowledged = new Set<string>();
  const agent = new Agent({ keepAlive: true, maxSockets: WRITERS });
  try {
    const writing = Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        const sandboxId = SANDBOXES[writer % SANDBOXES.length] ?? SANDBOXES[0];
        for (let n = 0; n < EVENTS / WRITERS; n++) {
          acknowledged.add(await store(system, agent, tokenOf(sandboxId), { writer, n }));
        }
      }),
    );
    const injecting = (async () => {
      for (const { atShare, run } of faults) {
        await until(() => acknowledged.size >= EVENTS * atShare, 'a share is acknowledged', ACKNOWLEDGE_TIMEOUT_MS);
        await run();
      }
    })();
    await Promise.all([writing, injecting]);
    expect(acknowledged.size).toBe(EVENTS);
    await until(
      () => whole.seen.length >= EVENTS && single.every(({ seen }) => seen.length >= perSandbox),
      'the subscribers have seen everything',
      SEEN_TIMEOUT_MS,
    );
  } finally {
    agent.destroy();
    for (const subscriber of subscribers) subscriber.close();
  }

  expect(subscribers.flatMap(({ faults: told }) => told)).toEqual([]);
  expect(subscribers.map(({ cuts }) => cuts)).toEqual(subscribers.map(() => CUTS));
  expect(whole.seen).toHaveLength(EVENTS);
  expect(new Set(whole.seen.map(({ id }) => id))).toEqual(acknowledged);
  for (const [index, sandboxId] of SANDBOXES.entries()) {
    const inOrder = whole.seen.filter((event) => event.sandboxId === sandboxId).map(({ id }) => id);
    expect(single[index]?.seen.map(({ id }) => id)).toEqual(inOrder);
    expect(await readBack(system, apiKey, sandboxId)).toEqual(inOrder);
  }
  for (let writer = 0; writer < WRITERS; writer++) {
    const own = whole.seen.map(({ data }) => data as Marker).filter((data) => data.writer === writer);
    expect(own.map(({ n }) => n)).toEqual(Array.from({ length: EVENTS / WRITERS }, (_, n) => n));
  }
}

/** Stores one event until it is acknowledged, under one idempotency key; resolves with its id. */
async function store(system: System, agent: Agent, token: string, marker: Marker): Promise<string> {
  let eventId = '';
  const body = JSON.stringify({ type: 'custom.event', data: marker });
  await untilAnswer(
    async () => {
      const answer = await post(`${system.dev().baseUrl}/events`, agent, body, {
        authorization: `Bearer ${token}`,
        'idempotency-key': `${marker.writer}/${marker.n}`,
      });
      if (answer?.status !== 201 && answer?.status !== 202) return false;
      ({ eventId } = (JSON.parse(answer.text) as { data: { eventId: string } }).data);
      return true;
    },
    'the event is acknowledged',
    ACKNOWLEDGE_TIMEOUT_MS,
  );
  return eventId;
}

/** The answer, or undefined where none came whole. */
function post(url: string, agent: Agent, body: string, headers: Record<string, string>) {
  return new Promise<{ status: number; text: string } | undefined>((resolve) => {
    const call = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', () => resolve(undefined));
      },
    );
    call.on('error', () => resolve(undefined)).end(body);
  });
}

async function administer<T>(system: System, what: 'keys' | 'tokens', body: object): Promise<T> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/admin/${what}`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

/** All event ids of a sandbox through the query door, page by page. */
async function readBack(system: System, apiKey: string, sandboxId: string): Promise<string[]> {
  const { baseUrl } = system.dev();
  const ids: string[] = [];
  let cursor = '';
  for (;;) {
    const response = await fetch(`${baseUrl}/events/${sandboxId}?limit=1000${cursor}`, {
      headers: { 'x-api-key': apiKey },
    });
    const { data } = (await response.json()) as { data: { events: { id: string }[]; nextCursor?: string } };
    ids.push(...data.events.map(({ id }) => id));
    if (data.nextCursor === undefined || data.events.length === 0) return ids;
    cursor = `&cursor=${encodeURIComponent(data.nextCursor)}`;
  }
}

/** The numbers of events after which a subscriber is cut: ascending, distinct, the same for the same seed. */
function randomCuts(random: () => number, events: number): number[] {
  const cuts = new Set<number>();
  while (cuts.size < CUTS) cuts.add(1 + Math.floor(random() * (events - 1)));
  return [...cuts].sort((a, b) => a - b);
}

/** A small linear congruential generator: failures can be run again with their seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
