import Anthropic from '@anthropic-ai/sdk';
import { checkSessionInvariants, type SessionEventBody } from '@sluice/agent-sessions';
import { until } from '@sluice/event-log/conformance';
import { seededRandom } from './exactly-once';
import { untilAnswer } from './polling';
import { anthropicOf, eventsOf, newSession, registerEngine, say, type SessionEvent } from './session-client';
import type { SessionEngine } from './session-engine';
import { SessionFollower } from './session-follower';
import type { System } from './system';

const SESSIONS = 50;
const ROUNDS = 8;
/** Fewer than a key may have streams. */
const FOLLOWED = 6;
const SETTLE_TIMEOUT_MS = 120_000;

/** What was sent to one session, and what was said of it. */
interface Played {
  readonly sessionId: string;
  /** Texts of messages whose send was answered, with the id that the answer gave. */
  readonly acknowledged: Map<string, string>;
  readonly sent: string[];
  /** How many interrupts were sent. */
  interrupts: number;
  readonly follower: SessionFollower | undefined;
}

/** Sessions that are made while the others are played: each call that was answered made one. */
interface Births {
  readonly agentId: string;
  readonly environmentId: string;
  readonly ids: string[];
}

/**
 * Fifty sessions at once, random sends, answers and interrupts from outside and reports of an engine from inside, some
 * with the built-in engine, new sessions among them, while something is done to the system in the middle: every
 * invariant holds, nothing is lost or doubled for the list or for a stream that comes back, no session hangs.
 */
export async function assertSessionsSurvive(
  system: System,
  engine: SessionEngine,
  fault: () => Promise<void>,
  seed: number,
): Promise<void> {
  const { id, secret } = await registerEngine(system, engine.url);
  engine.secrets.push(secret);
  // Requests that reach the process as it dies are repeated, as the SDK does by itself.
  const client = anthropicOf(system, { maxRetries: 10 });
  const played = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, index): Promise<Played> => {
      const sessionId = await newSession(client, index % 5 === 0 ? undefined : id);
      const first = `first ${index}`;
      const { data = [] } = await say(client, sessionId, first);
      const follower = index < FOLLOWED ? new SessionFollower(client, sessionId, String(data[0]?.id)) : undefined;
      return {
        sessionId,
        acknowledged: new Map([[first, String(data[0]?.id)]]),
        sent: [first],
        interrupts: 0,
        follower,
      };
    }),
  );
  const births = await prepareBirths(client, id);
  let rounds = 0;
  const half = (SESSIONS * ROUNDS) / 2;
  const faulty = until(() => rounds >= half, 'half of the rounds are played', SETTLE_TIMEOUT_MS).then(fault);
  await Promise.all(
    played.map(async (one, index) => {
      const random = seededRandom(seed + index);
      for (let round = 0; round < ROUNDS; round++) {
        await act(client, one, births, `${index}-${round}`, random);
        rounds++;
      }
    }),
  );
  await faulty;
  try {
    for (const one of played) await settle(client, one);
  } finally {
    for (const { follower } of played) follower?.close();
  }
  const made = [];
  for await (const { id: madeId } of client.beta.sessions.list({ agent_id: births.agentId })) made.push(madeId);
  expect(births.ids.length).toBeGreaterThan(0);
  expect(made.sort()).toEqual([...births.ids].sort());
  expect(engine.faults).toEqual([]);
}

async function prepareBirths(client: Anthropic, engineId: string): Promise<Births> {
  const metadata = { engine: engineId };
  const agent = await client.beta.agents.create({ name: 'Births', model: 'claude-sonnet-4-5', metadata });
  const environment = await client.beta.environments.create({ name: `births-${agent.id}` });
  return { agentId: agent.id, environmentId: environment.id, ids: [] };
}

async function act(client: Anthropic, one: Played, births: Births, name: string, random: () => number) {
  const { sessionId, acknowledged, sent } = one;
  const choice = random();
  if (choice < 0.6) {
    const text = choice < 0.3 ? `hello ${name}` : `tools 2 ${name}`;
    sent.push(text);
    const { data = [] } = await say(client, sessionId, text);
    acknowledged.set(text, String(data[0]?.id));
  } else if (choice < 0.8) {
    await answerAll(client, sessionId);
  } else if (choice < 0.9) {
    const message = { type: 'user.message' as const, content: [{ type: 'text' as const, text: `born ${name}` }] };
    const { id } = await client.beta.sessions.create({
      agent: births.agentId,
      environment_id: births.environmentId,
      initial_events: [message],
    });
    births.ids.push(id);
  } else {
    await client.beta.sessions.events.send(sessionId, { events: [{ type: 'user.interrupt' }] });
    one.interrupts++;
  }
}

/** Answers what the session waits for. Somebody else, or an interrupt, may have been first. */
async function answerAll(client: Anthropic, sessionId: string): Promise<void> {
  for (const id of pendingOf(await eventsOf(client, sessionId))) {
    await client.beta.sessions.events
      .send(sessionId, {
        events: [{ type: 'user.custom_tool_result', custom_tool_use_id: id, content: [{ type: 'text', text: '42' }] }],
      })
      .catch((error: unknown) => {
        if (!(error instanceof Anthropic.BadRequestError)) throw error;
      });
  }
}

function pendingOf(events: readonly SessionEvent[]): readonly string[] {
  const last = events.findLast(({ type }) => type.startsWith('session.status_'));
  if (last?.type !== 'session.status_idle' || last.stop_reason.type !== 'requires_action') return [];
  return last.stop_reason.event_ids;
}

/** Answers until the session rests, then looks at everything that it holds. */
async function settle(
  client: Anthropic,
  { sessionId, acknowledged, sent, interrupts, follower }: Played,
): Promise<void> {
  let events: SessionEvent[] = [];
  await untilAnswer(
    async () => {
      await answerAll(client, sessionId);
      const { status } = await client.beta.sessions.retrieve(sessionId);
      events = await eventsOf(client, sessionId);
      return status === 'idle' && pendingOf(events).length === 0;
    },
    `session ${sessionId} rests`,
    SETTLE_TIMEOUT_MS,
  );
  const messages = events.flatMap((event) => (event.type === 'user.message' ? [event] : []));
  const texts = messages.map(({ content }) => content.map((block) => ('text' in block ? block.text : '')).join(''));
  // All calls were answered in the end, so each text is there, and once.
  expect([...texts].sort()).toEqual([...sent].sort());
  for (const [text, id] of acknowledged) expect(messages[texts.indexOf(text)]?.id).toBe(id);
  expect(events.filter(({ type }) => type === 'user.interrupt')).toHaveLength(interrupts);
  if (follower) {
    // It has all that followed what it began after, once and in order.
    const after = events.findIndex((event) => event.id === follower.from) + 1;
    const followed = events.slice(after).map((event) => event.id);
    await until(() => follower.seen.length >= followed.length, 'the stream has everything', SETTLE_TIMEOUT_MS);
    expect(follower.seen).toEqual(followed);
  }
  expect(checkSessionInvariants(events as unknown as SessionEventBody[])).toEqual([]);
}
