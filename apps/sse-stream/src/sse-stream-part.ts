import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { SseStreamConfig } from './config';
import { sseStreamOperations } from './http/operations';
import { boundedSpreadMs, OpenStreams } from '@sluice/event-streams';
import { SseStreamModule } from './sse-stream.module';

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
  const spreadMs = boundedSpreadMs(config.drainSpreadMs, host.config.drain);
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
