import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { SseStreamConfig } from './config';
import { OpenStreams } from './open-streams';
import { SseStreamModule } from './sse-stream.module';

/** The SSE app as a part of a process. */
export async function createSseStreamPart(host: AppHost, config: SseStreamConfig): Promise<AppPart> {
  const feed = await host.feed();
  const streams = new OpenStreams();
  const module = SseStreamModule.register({
    config,
    feed,
    gatekeeper: await host.gatekeeper(),
    limiter: host.limiter,
    streams,
    metrics: host.metrics,
    logger: host.logger,
  });
  return {
    name: 'sse-stream',
    module,
    workers: [
      {
        name: 'streams',
        start: () => Promise.resolve(),
        // Ends every stream with a word, so that clients resume elsewhere, and lets them read it.
        stop: async () => {
          await feed.stop();
          await streams.whenOver();
        },
      },
    ],
    checks: [await readModelCheck(host.engine)],
  };
}
