import { createAppHost, toHostConfig, type AppHost, type AppPart } from '@sluice/engine';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toProjectorConfig } from '../src/config';
import { createProjectorPart } from '../src/projector-part';

/** The ports of a process with these settings. */
export function openHost(env: Record<string, string>): AppHost {
  return createAppHost(toHostConfig('projector', parseSettings(settings, readEnv(settings, env))));
}

/** Nothing is to wait because nobody has looked. */
const POLL_INTERVAL_MS = 50;

/** A process with a projector, maybe without some of its workers. */
export class Replica {
  private constructor(
    readonly host: AppHost,
    private readonly workers: NonNullable<AppPart['workers']>,
  ) {}

  static async start(env: Record<string, string>, without: readonly string[] = []): Promise<Replica> {
    const host = openHost(env);
    const config = toProjectorConfig(parseSettings(settings, readEnv(settings, env)));
    const part = await createProjectorPart(host, { ...config, pollIntervalMs: POLL_INTERVAL_MS });
    const workers = (part.workers ?? []).filter(({ name }) => !without.includes(name));
    for (const worker of workers) await worker.start();
    return new Replica(host, workers);
  }

  async stop(): Promise<void> {
    for (const worker of [...this.workers].reverse()) await worker.stop();
    await this.host.close();
  }
}
