import Anthropic from '@anthropic-ai/sdk';
import { until } from '@sluice/event-log/conformance';
import { untilAnswer } from './polling';
import { produceRegistryEvents, reputationChange } from './registry';
import { newSession, say } from './session-client';
import type { System } from './system';
import type { ReceivedWebhook, WebhookReceiver } from './webhook-receiver';

/** A workspace of its own, so that what other tests store is not seen. */
const WORKSPACE_ID = 7;
/** Made one after the other, so that each replica has some of them. */
const ENDPOINTS = 8;
const ROUNDS = 40;
const FAMILIES = ['sandbox', 'registry', 'workspace', 'session'] as const;
const SETTLE_TIMEOUT_MS = 180_000;

/** Settings under which a fault is over soon. */
export const WEBHOOK_FAULT_SETTINGS = {
  SLUICE_WEBHOOK_RETRY_DELAYS: '200ms*20',
  SLUICE_WEBHOOK_LEASE: '3s',
} as const;

interface Told {
  readonly id: string;
  readonly family: string;
  readonly entityId: string;
  readonly entitySequence: number;
  readonly position: number;
}

interface Page {
  readonly events: readonly Told[];
  readonly headCursor: string;
  readonly nextCursor?: string;
}

/**
 * Stores events of every family while an application is told of them by several endpoints, fails now and then, and
 * something is done to the system in the middle: each endpoint is told of every event, strictly in order but for what it
 * is told again, and each request is signed as the Anthropic SDK checks it (G2, G6).
 */
export async function assertWebhooksSurvive(
  system: System,
  receiver: WebhookReceiver,
  fault: () => Promise<void>,
): Promise<void> {
  const { baseUrl, adminKey } = system.dev();
  const call = callerOf(baseUrl);
  const admin = { workspaceId: WORKSPACE_ID, role: 'writer' };
  const { apiKey } = await call<{ apiKey: string }>('POST', '/v1/admin/keys', adminKey, admin);
  const sandbox = { workspaceId: WORKSPACE_ID, sandboxId: 'told', ttlSeconds: 3_600 };
  const { accessToken } = await call<{ accessToken: string }>('POST', '/v1/admin/tokens', adminKey, sandbox);
  const { headCursor } = await call<Page>('GET', '/v1/events?limit=1', apiKey);
  const secrets = new Map<string, string>();
  const endpointIds: string[] = [];
  for (let n = 0; n < ENDPOINTS; n++) {
    const json = { url: `${receiver.origin}/${n}`, filter: { families: FAMILIES }, cursor: headCursor };
    const made = await call<{ endpointId: string; secret: string }>('POST', '/v1/webhooks', apiKey, json);
    secrets.set(`/${n}`, made.secret);
    endpointIds.push(made.endpointId);
  }

  const client = new Anthropic({ baseURL: baseUrl, apiKey, maxRetries: 10 });
  const sessionId = await newSession(client);
  let rounds = 0;
  const faulty = until(() => rounds >= ROUNDS / 2, 'half of the events are stored', SETTLE_TIMEOUT_MS).then(fault);
  for (; rounds < ROUNDS; rounds++) {
    const event = { type: 'custom.event', data: { n: rounds } };
    await call('POST', '/events', { authorization: `Bearer ${accessToken}` }, event);
    await call('POST', '/api/tasks', apiKey, { title: `Task ${rounds}` });
    await produceRegistryEvents(system, [reputationChange(rounds)]);
    await say(client, sessionId, `hello ${rounds}`);
  }
  await faulty;

  const expected = await expectedOf(call, apiKey, headCursor);
  expect(new Set(expected.map(({ family }) => family))).toEqual(new Set(FAMILIES));
  for (const [path, secret] of secrets) {
    const isTold = () => {
      const told = new Set(receiver.at(path).flatMap(takenId));
      return expected.every(({ id }) => told.has(id));
    };
    await untilAnswer(isTold, `${path} is told of every event`, SETTLE_TIMEOUT_MS);
    assertInOrder(receiver.at(path), secret, new Set(expected.map(({ id }) => id)));
  }
  for (const endpointId of endpointIds) {
    const { enabled } = await call<{ enabled: boolean }>('GET', `/v1/webhooks/${endpointId}`, apiKey);
    expect(enabled).toBe(true);
    await call('DELETE', `/v1/webhooks/${endpointId}`, apiKey);
  }
}

type Call = ReturnType<typeof callerOf>;

const takenId = ({ isTaken, headers }: ReceivedWebhook) => (isTaken ? [String(headers['webhook-id'])] : []);

/** Everything that was sent is what it says, and what came for the first time came in order. */
function assertInOrder(received: readonly ReceivedWebhook[], secret: string, ids: ReadonlySet<string>): void {
  const client = new Anthropic({ apiKey: 'none', webhookKey: secret });
  const seen = new Set<string>();
  const first: Told[] = [];
  for (const { headers, body } of received) {
    client.beta.webhooks.unwrap(body, { headers: headers as Record<string, string> });
    const { id, data } = JSON.parse(body) as { id: string; data: Told };
    expect([id, data.id]).toEqual([headers['webhook-id'], id]);
    if (!seen.has(id) && ids.has(id)) first.push(data);
    seen.add(id);
  }
  const positions = first.map(({ position }) => position);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  const sequences = new Map<string, number[]>();
  for (const { family, entityId, entitySequence } of first) {
    const entity = `${family}/${entityId}`;
    sequences.set(entity, [...(sequences.get(entity) ?? []), entitySequence]);
  }
  for (const [entity, numbers] of sequences) {
    const from = numbers[0] ?? 0;
    expect([entity, numbers]).toEqual([entity, numbers.map((_, n) => from + n)]);
  }
}

/** What is recorded since then: of the workspace, and of the registry. */
async function expectedOf(call: Call, apiKey: string, cursor: string): Promise<readonly Told[]> {
  const own = await eventsSince(call, apiKey, cursor, '');
  return [...own, ...(await eventsSince(call, apiKey, cursor, '&family=registry&workspaceId=0'))];
}

async function eventsSince(call: Call, apiKey: string, cursor: string, query: string) {
  const events: Told[] = [];
  for (let next: string | undefined = cursor; next !== undefined;) {
    const path: string = `/v1/events?limit=1000&cursor=${encodeURIComponent(next)}${query}`;
    const page: Page = await call<Page>('GET', path, apiKey);
    events.push(...page.events);
    next = page.events.length === 0 ? undefined : page.nextCursor;
  }
  return events;
}

/** Calls that are repeated while a process that dies answers nothing or a 5xx. */
function callerOf(baseUrl: string) {
  return async <T>(method: string, path: string, key: string | Record<string, string>, json?: object): Promise<T> => {
    let answer: T | undefined;
    const credentials = typeof key === 'string' ? { 'x-api-key': key } : key;
    await untilAnswer(
      async () => {
        const response = await fetch(`${baseUrl}${path}`, {
          method,
          headers: { ...credentials, ...(json && { 'content-type': 'application/json' }) },
          ...(json && { body: JSON.stringify(json) }),
        }).catch(() => undefined);
        if (response === undefined || response.status >= 500) return false;
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        answer = (await response.json()) as T;
        return true;
      },
      `${method} ${path} is answered`,
      SETTLE_TIMEOUT_MS,
    );
    return answer as T;
  };
}
