import { Client } from 'pg';
import type { DevFile } from '../../e2e/system';
import type { Entities } from './entities';
import { see } from './readers';
import { Sightings } from './sightings';

interface Page {
  readonly events: readonly object[];
  readonly nextCursor?: string;
}

/** Everything that `GET /v1/events` shows of the workspace and of the registry, in its order. */
export async function readEventsDoor({ baseUrl, apiKey }: DevFile, of: Entities): Promise<Sightings> {
  const sightings = new Sightings('GET /v1/events');
  for (const query of ['', '&family=registry&workspaceId=0']) {
    await readPages(sightings, of, (cursor) => getPage(`${baseUrl}/v1/events?limit=1000${query}${cursor}`, apiKey));
  }
  return sightings;
}

/** Everything that `GET /events/{sandboxId}` shows of each sandbox, in its order. */
export async function readSandboxDoor({ baseUrl, apiKey }: DevFile, of: Entities): Promise<Sightings> {
  const sightings = new Sightings('GET /events/{sandboxId}');
  for (const sandboxId of of.sandboxes) {
    await readPages(sightings, of, async (cursor) => {
      const { data } = (await getPage(`${baseUrl}/events/${sandboxId}?limit=1000${cursor}`, apiKey)) as never as {
        readonly data: Page;
      };
      return data;
    });
  }
  return sightings;
}

/** The table of recorded events itself, by position, and whether positions and sequences are without gaps. */
export async function readTable(
  databaseUrl: string,
  of: Entities,
): Promise<{ sightings: Sightings; faults: readonly string[] }> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const sightings = new Sightings('read_model.recorded_events');
    const query = `SELECT position::int AS position, entity_sequence::int AS sequence, envelope,
                          workspace_id || '/' || family || '/' || entity_id AS entity
                   FROM read_model.recorded_events WHERE position > $1 ORDER BY position LIMIT 1000`;
    const faults: string[] = [];
    const sequences = new Map<string, number>();
    for (let last = 0; ;) {
      const { rows } = await client.query<StoredRow>(query, [last]);
      if (rows.length === 0) return { sightings, faults };
      for (const { position, sequence, entity, envelope } of rows) {
        if (position !== last + 1) faults.push(`position ${position} follows ${last}`);
        const before = sequences.get(entity) ?? 0;
        if (sequence !== before + 1) faults.push(`sequence ${sequence} of ${entity} follows ${before}`);
        sequences.set(entity, sequence);
        last = position;
        see(sightings, of, envelope);
      }
    }
  } finally {
    await client.end();
  }
}

interface StoredRow {
  readonly position: number;
  readonly sequence: number;
  readonly entity: string;
  readonly envelope: string;
}

async function readPages(sightings: Sightings, of: Entities, read: (cursor: string) => Promise<Page>): Promise<void> {
  let cursor = '';
  for (;;) {
    const { events, nextCursor } = await read(cursor);
    for (const event of events) see(sightings, of, JSON.stringify(event));
    if (nextCursor === undefined || events.length === 0) return;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

async function getPage(url: string, apiKey: string): Promise<Page> {
  const response = await fetch(url, { headers: { 'x-api-key': apiKey } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Page;
}
