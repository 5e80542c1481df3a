import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk';
import { untilAnswer } from './polling';
import type { System } from './system';

export type SessionEvent = Anthropic.Beta.Sessions.Events.BetaManagedAgentsSessionEvent;

export function anthropicOf(system: System, options: ClientOptions = {}): Anthropic {
  const { baseUrl, apiKey } = system.dev();
  return new Anthropic({ baseURL: baseUrl, apiKey, ...options });
}

/** A session whose runs a registered engine works on, or the built-in one. */
export async function newSession(client: Anthropic, engineId?: string, tools: object[] = []): Promise<string> {
  const agent = await client.beta.agents.create({
    name: 'Agent',
    model: 'claude-sonnet-4-5',
    tools: tools as never,
    ...(engineId !== undefined && { metadata: { engine: engineId } }),
  });
  const environment = await client.beta.environments.create({ name: `environment-${agent.id}` });
  const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id });
  return session.id;
}

/** Registers an engine by the runtime door; gives its id and the secret by which it is told. */
export async function registerEngine(system: System, url: string): Promise<{ id: string; secret: string }> {
  const { baseUrl, apiKey } = system.dev();
  const response = await fetch(`${baseUrl}/runtime/v1/engines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
    body: JSON.stringify({ name: 'test engine', url }),
  });
  if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`);
  return (await response.json()) as { id: string; secret: string };
}

export async function eventsOf(client: Anthropic, sessionId: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const event of client.beta.sessions.events.list(sessionId, { limit: 1000 })) events.push(event);
  return events;
}

export const say = (client: Anthropic, sessionId: string, text: string) =>
  client.beta.sessions.events.send(sessionId, {
    events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
  });

/** The session's events as soon as they are as wanted. */
export async function untilEvents(
  client: Anthropic,
  sessionId: string,
  isWanted: (events: SessionEvent[]) => boolean,
  what: string,
  timeoutMs = 120_000,
): Promise<SessionEvent[]> {
  let events: SessionEvent[] = [];
  await untilAnswer(
    async () => {
      events = await eventsOf(client, sessionId);
      return isWanted(events);
    },
    what,
    timeoutMs,
  );
  return events;
}

export const typesOf = (events: readonly SessionEvent[]) => events.map(({ type }) => type);

/** Whether the last thing that was said of the session is that its turn ended. */
export function hasEnded(events: readonly SessionEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === 'session.status_idle' && last.stop_reason.type === 'end_turn';
}

/** A fetch whose streams break off after so long, as through a poor network. */
export function cuttingFetch(afterMs: number, onCut: () => void): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) return response;
    const timer = new AbortController();
    const cut = setTimeout(() => {
      onCut();
      timer.abort(new Error('cut'));
    }, afterMs);
    const body = response.body.pipeThrough(new TransformStream({ flush: () => clearTimeout(cut) }), {
      signal: timer.signal,
    });
    return new Response(body, { status: response.status, headers: response.headers });
  };
}
