import { createAppHost, toHostConfig } from '@sluice/engine';
import { createHttpApp, parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toIngestConfig } from '../src/config';
import { createIngestPart } from '../src/ingest-part';
import { exchange, SECRET } from './ingest-service';

it('answers 408 to a body that drips in for too long, and closes the connection (G9)', async () => {
  const env = { SLUICE_ENGINE: 'memory', SLUICE_TOKEN_SECRETS: SECRET, SLUICE_LOG_LEVEL: 'silent' };
  const values = parseSettings(settings, readEnv(settings, env));
  const host = createAppHost(toHostConfig('ingest', values));
  const part = await createIngestPart(host, toIngestConfig(values));
  const app = await createHttpApp({ module: part.module, logger: host.logger, metrics: host.metrics });
  expect(app.server.requestTimeout).toBeGreaterThan(0);
  // The limit itself is a minute; Node looks every few seconds.
  app.server.headersTimeout = app.server.requestTimeout = 100;
  const port = await app.listen({ host: '127.0.0.1', port: 0 });
  const { accessToken } = await (await host.access()).mintAccessToken({ workspaceId: 1, sandboxId: 'slow' });
  const head = `POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n`;
  const answer = await exchange(`http://127.0.0.1:${port}`, head, '{"type":');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  await app.close();
  await host.close();
});
