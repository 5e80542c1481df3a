import type { ClusterSystem, EmbeddedSystem } from '../../e2e/system';
import { isReplicaOf } from './processes';

/** A metric of all processes of an app, or of the one process, summed over labels and replicas. */
export async function readMetric(system: ClusterSystem | EmbeddedSystem, app: string, name: string): Promise<number> {
  const texts = (await urlsOf(system, app)).map(async (url) => (await fetch(`${url}/metrics`)).text());
  return (await Promise.all(texts)).reduce((sum, text) => sum + metricIn(text, name), 0);
}

async function urlsOf(system: ClusterSystem | EmbeddedSystem, app: string): Promise<readonly string[]> {
  if (system.engine === 'embedded') return [system.dev().baseUrl];
  const processes = Object.entries(await system.processes());
  return processes.filter(([name]) => isReplicaOf(app, name)).map(([, { url }]) => url);
}

/** @param text as Prometheus reads it */
export function metricIn(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
