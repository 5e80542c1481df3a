import { createService, type HttpApp, type Resource, type ServiceOptions, type Worker } from '../src/index';
import { keptLogger, newMetrics } from './harness';

/** A service on a free port, with a kept log. */
export function build(options: Partial<ServiceOptions> & { routes?: (app: HttpApp) => void } = {}) {
  const kept = keptLogger();
  const { routes, ...rest } = options;
  const service = createService({
    name: 'test',
    http: { host: '127.0.0.1', port: 0, ...(routes && { routes }) },
    logger: kept.logger,
    metrics: newMetrics(),
    readiness: { cacheMs: 0 },
    drain: { timeoutMs: 5_000, delayMs: 0 },
    ...rest,
  });
  return { service, ...kept };
}

/** Workers and resources that write down what is done with them. */
export function recorder() {
  const events: string[] = [];
  const worker = (name: string): Worker => ({
    name,
    start: async () => void events.push(`start ${name}`),
    stop: async () => void events.push(`stop ${name}`),
  });
  const resource = (name: string): Resource => ({ name, close: async () => void events.push(`close ${name}`) });
  return { events, worker, resource };
}

/** Status and JSON body of a GET on a connection of its own. */
export async function statusOf(url: string): Promise<[number, unknown]> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return [answer.status, await answer.json()];
}
