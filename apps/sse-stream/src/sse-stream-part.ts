import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { SseStreamConfig } from './config';
import { SseStreamModule } from './sse-stream.module';

/** The SSE app as a part of a process. */
export async function createSseStreamPart(host: AppHost, config: SseStreamConfig): Promise<AppPart> {
  const feed = await host.feed();
  const module = SseStreamModule.register({
    config,
    feed,
    gatekeeper: await host.gatekeeper(),
    limiter: host.limiter,
  });
  return {
    name: 'sse-stream',
    module,
    // Ends every stream with a word, so that clients resume elsewhere.
    workers: [{ name: 'streams', start: () => Promise.resolve(), stop: () => feed.stop() }],
    checks: [await readModelCheck(host.engine)],
  };
}
