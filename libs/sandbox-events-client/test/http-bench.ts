import { createEventsClient, type EventsClient, type EventsClientConfig } from '../src/index';
import { ScriptedHttpServer } from './scripted-http-server';

/** What a store call answers. */
export const STORED = { eventId: 'e1', sandboxId: 'sandbox-123', type: 'custom', timestamp: 1_700_000_000_000 };

/** One scripted server for the tests of a file, and clients for it. */
export function useHttpBench() {
  const server = new ScriptedHttpServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    server.seen.length = 0;
  });
  const client = (config: EventsClientConfig = {}): EventsClient =>
    createEventsClient({ gatewayUrl: server.url, apiKey: 'key', accessToken: 'token', retryDelayMs: 1, ...config });
  return { server, client };
}
