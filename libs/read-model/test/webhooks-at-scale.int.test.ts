import type { WebhookLease } from '@sluice/webhook-delivery';
import { openReadModel, type PrismaReadModel } from '../src';
import { explainEach, nodesOf, pagesTouched } from './explain';
import { createFreshDatabase, type FreshDatabase } from './fresh-database';

const ENDPOINTS = 4_000;
/** Deliveries of one endpoint; the others have few. One of a hundred is a dead letter, and one of those waits. */
const DELIVERIES = 20_000;
const FILL = `
  INSERT INTO webhooks.endpoints (endpoint_id, workspace_id, version, endpoint, disabled_reason, expires_at, epoch, position)
  SELECT 'whk_' || n, n % 200, 1, '{"filter":{},"secrets":{}}', CASE WHEN n % 2 = 0 THEN 'gone' END,
    CASE WHEN n % 1000 = 1 THEN now() ELSE now() + interval '1 hour' END, '0000abcd', n
  FROM generate_series(1, ${ENDPOINTS}) AS n;
  INSERT INTO webhooks.deliveries (endpoint_id, delivery_id, at, entry)
  SELECT 'whk_1', n, n, '{"kind":"event"}' FROM generate_series(1, ${DELIVERIES}) AS n;
  INSERT INTO webhooks.deliveries (endpoint_id, delivery_id, at, entry)
  SELECT 'whk_' || n % ${ENDPOINTS} + 1, n + ${DELIVERIES}, n + ${DELIVERIES}, '{}' FROM generate_series(1, 20000) AS n;
  INSERT INTO webhooks.dead_letters (endpoint_id, dead_letter_id, dead_at, replay_at, letter)
  SELECT 'whk_1', n, n, CASE WHEN n % 100 = 0 THEN n END, '{}' FROM generate_series(1, 5000) AS n;
  UPDATE webhooks.endpoints SET last_delivery_id = 40000`;

describe('WebhookStore in PostgreSQL', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  let lease: WebhookLease;

  beforeAll(async () => {
    database = await createFreshDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    await database.query(FILL);
    const leases = await model.webhookStore.claim({ holder: 'one', leaseMs: 600_000, limit: 100 });
    expect(leases).toHaveLength(ENDPOINTS / 1_000);
    const first = leases.find(({ grant }) => grant.endpointId === 'whk_1');
    if (first === undefined) throw new Error('no lease');
    lease = first;
  });

  afterAll(async () => {
    await model.close();
    await database.drop();
  });

  describe.each([
    ['without statistics', 'SELECT 1'],
    ['with statistics', 'ANALYZE webhooks.endpoints; ANALYZE webhooks.deliveries; ANALYZE webhooks.dead_letters'],
  ])('%s', (_, prepare) => {
    beforeAll(() => database.query(prepare));

    const query = { workspaceId: 1, endpointId: 'whk_1', limit: 50 };
    it.each<[string, number, () => Promise<unknown>]>([
      ['finds an endpoint', 20, () => model.webhookStore.find(1, 'whk_1')],
      ['lists a workspace', 200, () => model.webhookStore.list({ workspaceId: 1, limit: 20 })],
      ['finds nobody unattended', 60, () => model.webhookStore.claim({ holder: 'two', leaseMs: 1_000, limit: 50 })],
      ['pages through deliveries', 60, () => model.webhookStore.deliveries({ ...query, before: 10_000 })],
      ['pages through dead letters', 60, () => model.webhookStore.deadLetters({ ...query, before: 2_000 })],
      ['finds what is to be sent again', 60, () => model.webhookStore.replays(lease.grant, 10)],
    ])('%s by an index, in pages that do not grow (G9)', async (__, mostPages, read) => {
      for (const plan of await explainEach(database.url, 'webhooks.', read)) {
        const kinds = nodesOf(plan).map((node) => [node['Node Type'], node['Relation Name']]);
        expect(kinds).not.toContainEqual(['Seq Scan', 'endpoints']);
        expect(kinds).not.toContainEqual(['Seq Scan', 'deliveries']);
        expect(kinds).not.toContainEqual(['Seq Scan', 'dead_letters']);
        expect(pagesTouched(plan)).toBeLessThan(mostPages);
      }
    });
  });

  it('keeps what came of an attempt in one statement, whatever was sent before', async () => {
    const entry = { kind: 'event', outcome: 'delivered', at: 1 } as const;
    const record = () => model.webhookStore.record(lease.grant, { entry, progress: lease.progress });
    // Once before, so that what is beyond the newest 10,000 is gone.
    await record();
    const plans = await explainEach(database.url, 'webhooks.', record);
    expect(plans).toHaveLength(1);
    for (const plan of plans) {
      expect(nodesOf(plan).map((node) => node['Node Type'])).not.toContain('Seq Scan');
      expect(pagesTouched(plan)).toBeLessThan(200);
    }
  });
});
