import Anthropic from '@anthropic-ai/sdk';
import { checkSessionInvariants, type SessionEventBody } from '@sluice/agent-sessions';
import { until } from '@sluice/event-log/conformance';
import { seededRandom } from './exactly-once';
import { anthropicOf, eventsOf, newSession, registerEngine, type SessionEvent } from './session-client';
import type { SessionEngine } from './session-engine';
import type { System } from './system';

const SESSIONS = 50;
const ROUNDS = 8;
const SETTLE_TIMEOUT_MS = 120_000;

/** What was sent to one session, and what was said of it. */
interface Played {
  readonly sessionId: string;
  /** Texts of messages whose send was answered, with the id that the answer gave. */
  readonly acknowledged: Map<string, string>;
  readonly sent: string[];
}

/**
 * Fifty sessions at once, random sends, answers and interrupts from outside and reports of an engine from inside, while
 * something is done to the system in the middle: every invariant holds, nothing is lost or doubled, no session hangs.
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
    Array.from({ length: SESSIONS }, async (): Promise<Played> => ({
      sessionId: await newSession(client, id),
      acknowledged: new Map(),
      sent: [],
    })),
  );
  let rounds = 0;
  const half = (SESSIONS * ROUNDS) / 2;
  const faulty = until(() => rounds >= half, 'half of the rounds are played', SETTLE_TIMEOUT_MS).then(fault);
  await Promise.all(
    played.map(async (one, index) => {
      const random = seededRandom(seed + index);
      for (let round = 0; round < ROUNDS; round++) {
        await act(client, one, `${index}-${round}`, random);
        rounds++;
      }
    }),
  );
  await faulty;
  for (const one of played) await settle(client, one);
  expect(engine.faults).toEqual([]);
}

async function act(client: Anthropic, { sessionId, acknowledged, sent }: Played, name: string, random: () => number) {
  const choice = random();
  if (choice < 0.6) {
    const text = choice < 0.3 ? `hello ${name}` : `tools 2 ${name}`;
    sent.push(text);
    const { data = [] } = await client.beta.sessions.events.send(sessionId, {
      events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
    });
    acknowledged.set(text, String(data[0]?.id));
  } else if (choice < 0.85) {
    await answerAll(client, sessionId);
  } else {
    await client.beta.sessions.events.send(sessionId, { events: [{ type: 'user.interrupt' }] });
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
async function settle(client: Anthropic, { sessionId, acknowledged, sent }: Played): Promise<void> {
  let events: SessionEvent[] = [];
  await until(
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
  expect(checkSessionInvariants(events as unknown as SessionEventBody[])).toEqual([]);
}
