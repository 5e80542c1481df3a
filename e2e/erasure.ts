import { untilAnswer } from './polling';
import type { System } from './system';

const ERASURE_TIMEOUT_MS = 150_000;
const EVENTS = 20;

interface Erasure {
  readonly erasureId: number;
  readonly finishedAt?: number;
  readonly erasedEvents: number;
}

/** Stores events of a sandbox, erases it as an operator does, and looks that they are gone and that all else is there. */
export async function assertErased(system: System): Promise<void> {
  const { workspaceId } = system.dev();
  const marker = crypto.randomUUID();
  const [erased, kept] = [`erased-${marker}`, `kept-${marker}`];
  for (let n = 0; n < EVENTS; n++) {
    for (const sandboxId of [erased, kept]) {
      await call(system, 'POST', '/events', { sandboxId, workspaceId, type: 'custom', data: { marker, n } });
    }
  }
  expect(await eventsOf(system, erased)).toHaveLength(EVENTS);

  // While it is there, what is erased is refused: it would stay in it.
  await untilAnswer(() => isFormerModelGone(system), 'the former model of a rebuild is dropped', ERASURE_TIMEOUT_MS);
  const entity = { workspaceId, family: 'sandbox', entityId: erased };
  const { erasure } = (await call(system, 'POST', '/v1/admin/erasures', entity)) as { erasure: Erasure };
  let last = erasure;
  await untilAnswer(
    async () => {
      const answer = await call(system, 'GET', `/v1/admin/erasures/${erasure.erasureId}`);
      last = (answer as { erasure: Erasure }).erasure;
      return last.finishedAt !== undefined;
    },
    'the entity is erased',
    ERASURE_TIMEOUT_MS,
  );
  expect(last.erasedEvents).toBe(EVENTS);
  expect(await eventsOf(system, erased)).toEqual([]);
  expect(await eventsOf(system, kept)).toHaveLength(EVENTS);
}

async function isFormerModelGone(system: System): Promise<boolean> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/admin/rebuild`, { headers: { 'x-api-key': adminKey } });
  const { rebuild } = (await response.json()) as { readonly rebuild: { readonly oldModelKept: boolean } | null };
  return !rebuild?.oldModelKept;
}

async function eventsOf(system: System, sandboxId: string): Promise<readonly unknown[]> {
  const { workspaceId } = system.dev();
  const query = new URLSearchParams({ workspaceId: String(workspaceId), entityId: sandboxId, limit: '100' });
  const { events } = (await call(system, 'GET', `/v1/events?${query}`)) as { events: readonly unknown[] };
  return events;
}

async function call(system: System, method: 'GET' | 'POST', path: string, json?: object): Promise<unknown> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { 'X-API-Key': adminKey, 'Content-Type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path} was answered by ${response.status} ${JSON.stringify(body)}`);
  return body;
}
