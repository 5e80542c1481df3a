import { until } from '@sluice/event-log/conformance';
import { untilAnswer } from './polling';
import type { System } from './system';

const REBUILD_TIMEOUT_MS = 120_000;

interface Rebuild {
  readonly state: string;
  readonly holder?: string;
  readonly fault?: string;
  readonly leftOutEvents: number;
}

/**
 * Rebuilds the read model beside the live one, as an operator does; resolves when the models are exchanged (G10).
 * @param whileBuilding what happens to the system as soon as somebody builds
 */
export async function rebuildReadModel(system: System, whileBuilding?: () => Promise<void>): Promise<void> {
  await call(system, 'POST', { positions: 'keep', dropOld: true });
  let rebuild: Rebuild | undefined;
  if (whileBuilding) {
    await until(async () => {
      const { state, holder } = await call(system, 'GET');
      return holder !== undefined || state !== 'building';
    }, 'somebody builds');
    await whileBuilding();
  }
  await untilAnswer(
    async () => {
      // Whoever answers may be away for a moment.
      rebuild = await call(system, 'GET').catch(() => undefined);
      return rebuild !== undefined && rebuild.state !== 'building';
    },
    'the rebuild ends',
    REBUILD_TIMEOUT_MS,
  );
  expect(rebuild).toMatchObject({ state: 'switched', leftOutEvents: 0 });
}

async function call(system: System, method: 'GET' | 'POST', json?: object): Promise<Rebuild> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/admin/rebuild`, {
    method,
    headers: { 'X-API-Key': adminKey, 'Content-Type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const body = (await response.json()) as { readonly rebuild: Rebuild };
  if (!response.ok) throw new Error(`${method} was answered by ${response.status} ${JSON.stringify(body)}`);
  return body.rebuild;
}
