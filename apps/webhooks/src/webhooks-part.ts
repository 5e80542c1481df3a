import { randomUUID } from 'node:crypto';
import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import { assertFetchable, createSafeFetch, parsePrivateAllowList } from '@sluice/safe-fetch';
import { SecretBox } from '@sluice/secret-box';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { WebhookStore } from '@sluice/webhook-delivery';
import { SYSTEM_CLOCK, type Clock } from './clock';
import type { WebhooksConfig } from './config';
import { DeliveryReactor } from './delivery/delivery-reactor';
import { PingGate } from './delivery/ping-gate';
import { SendSlots } from './delivery/send-slots';
import { WebhookSender } from './delivery/webhook-sender';
import { EndpointSecrets } from './endpoint-secrets';
import { webhooksOperations } from './http/operations';
import { createWebhookSignals, type WebhookSignals } from './signals';
import { WebhooksModule } from './webhooks.module';

/** How we introduce ourselves to applications. */
const USER_AGENT = 'sluice-webhooks/0.1';
/** How often within a lease it is renewed, and how long a change by an owner at another replica may go unnoticed. */
const RENEWALS = 3;
const LONGEST_INTERVAL_MS = 5_000;
/** How much of the drain what is being sent may take. */
const DRAIN_SHARE = 0.5;
/** How often old lines are forgotten, and how many at once. */
const PRUNE_INTERVAL_MS = 60_000;
const PRUNED_AT_ONCE = 5_000;

/** What a test brings in place of the real parts. */
export interface WebhooksExtensions {
  readonly clock?: Clock;
  readonly store?: WebhookStore;
}

/** The app of webhooks as a part of a process. */
export async function createWebhooksPart(
  host: AppHost,
  config: WebhooksConfig,
  extensions: WebhooksExtensions = {},
): Promise<AppPart> {
  const { engine } = host;
  const store = extensions.store ?? (await engine.webhookStore());
  const clock = extensions.clock ?? SYSTEM_CLOCK;
  const signals = createWebhookSignals(host.metrics, host.logger);
  const slots = new SendSlots(slotLimits(config.concurrency));
  const secrets = new EndpointSecrets(new SecretBox(config.secretsKeys));
  const sender = new WebhookSender({ fetch: createFetch(config), slots, secrets, clock, timeoutMs: config.timeoutMs });
  const readModel = await engine.readModel();
  const feed = await host.feed();
  const reactor = new DeliveryReactor(
    { store, feed, reader: readModel, sender, policy: config.policy, clock, signals },
    {
      holder: `${host.config.name}-${randomUUID()}`,
      leaseMs: config.leaseMs,
      intervalMs: Math.min(config.leaseMs / RENEWALS, LONGEST_INTERVAL_MS),
      maxEndpoints: config.maxEndpoints,
      drainMs: host.config.drain.timeoutMs * DRAIN_SHARE,
    },
  );
  signals.readLoad(() => ({
    ...reactor.counts,
    ...slots.counts,
    lagEvents: Math.max(0, feed.head.position - (reactor.leastPosition ?? feed.head.position)),
  }));
  const { endpointsPerWorkspace, secretGraceMs, timeoutMs } = config;
  const notice = (endpointId: string) => reactor.notice(endpointId);
  const assertUrl = (url: string) => assertFetchable(url, urlRules(config));
  const pings = new PingGate();
  return {
    name: 'webhooks',
    module: WebhooksModule.register(
      {
        store,
        readModel,
        sender,
        secrets,
        pings,
        clock,
        endpointsPerWorkspace,
        secretGraceMs,
        timeoutMs,
        assertUrl,
        notice,
        signals,
      },
      await host.gatekeeper(),
    ),
    workers: [reactor, pruner(store, config, clock, signals), attendance(store, config, signals)],
    checks: [await readModelCheck(engine)],
    operations: webhooksOperations,
  };
}

/** A workspace has less than a host, so that several workspaces are served by one host; half is for what failed before or is slow. */
function slotLimits(total: number) {
  const [eighth, quarter, half] = [8, 4, 2].map((share) => Math.ceil(total / share)) as [number, number, number];
  return { total, perWorkspace: eighth, perHost: quarter, retries: half };
}

function urlRules({ allowPrivateUrls, allowsHttp }: WebhooksConfig) {
  return { allowPrivate: parsePrivateAllowList(allowPrivateUrls), httpsOnly: !allowsHttp };
}

/** Concurrency is bounded by the slots, so that nothing waits in the fetch. */
function createFetch(config: WebhooksConfig) {
  const { concurrency } = config;
  return createSafeFetch({
    userAgent: USER_AGENT,
    ...urlRules(config),
    limits: { maxConcurrent: concurrency, maxConcurrentPerHost: concurrency },
  });
}

function pruner(store: WebhookStore, config: WebhooksConfig, clock: Clock, signals: WebhookSignals): Worker {
  const prune = async (): Promise<boolean> => {
    const nowMs = clock.now();
    const pruned = await store.prune({
      deliveriesBefore: nowMs - config.keepDeliveriesMs,
      deadLettersBefore: nowMs - config.keepDeadLettersMs,
      limit: PRUNED_AT_ONCE,
    });
    signals.pruned(pruned);
    return pruned.deliveries === PRUNED_AT_ONCE || pruned.deadLetters === PRUNED_AT_ONCE;
  };
  return new PollingWorker('webhook pruning', PRUNE_INTERVAL_MS, prune, (error) => signals.fault('prune', error));
}

function attendance(store: WebhookStore, { leaseMs }: WebhooksConfig, signals: WebhookSignals): Worker {
  const count = async (): Promise<boolean> => {
    signals.unattended(await store.countUnattended(leaseMs));
    return false;
  };
  return new PollingWorker('webhook attendance', leaseMs, count, (error) => signals.fault('attendance', error));
}
