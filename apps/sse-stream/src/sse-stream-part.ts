import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { SseStreamConfig } from './config';
import { sseStreamOperations } from './http/operations';
import { OpenStreams } from './open-streams';
import { SseStreamModule } from './sse-stream.module';

/** By when, as a share of a drain's time, streams have to be over; what comes before takes little of it. */
const WORKERS_SHARE = 0.8;

/** How much of what is left until then may pass before the last stream is told to end: the rest is to read the end. */
const SPREAD_SHARE = 0.5;

/** The SSE and WebSocket app as a part of a process. */
export async function createSseStreamPart(host: AppHost, config: SseStreamConfig): Promise<AppPart> {
  const feed = await host.feed();
  const streams = new OpenStreams();
  const module = SseStreamModule.register({
    config,
    feed,
    access: await host.access(),
    gatekeeper: await host.gatekeeper(),
    limiter: host.limiter,
    presence: await host.presence(),
    streams,
    metrics: host.metrics,
    logger: host.logger,
  });
  const spreadMs = boundedSpread(config.drainSpreadMs, host.config.drain);
  return {
    name: 'sse-stream',
    module,
    operations: sseStreamOperations,
    workers: [
      {
        name: 'streams',
        start: () => Promise.resolve(),
        // Ends every stream with a word, one by one, so that clients resume elsewhere, and lets them read it.
        stop: async () => {
          await streams.endAll({ spreadMs });
          await feed.stop();
        },
      },
    ],
    checks: [await readModelCheck(host.engine)],
  };
}

function boundedSpread(spreadMs: number, { timeoutMs, delayMs }: AppHost['config']['drain']): number {
  const leftMs = timeoutMs * WORKERS_SHARE - Math.min(delayMs, timeoutMs / 2);
  return Math.min(spreadMs, leftMs * SPREAD_SHARE);
}
