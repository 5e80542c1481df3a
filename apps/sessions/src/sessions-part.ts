import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import { boundedSpreadMs, OpenStreams } from '@sluice/event-streams';
import type { Worker } from '@sluice/service-runtime';
import { SYSTEM_CLOCK } from './clock';
import type { SessionsConfig } from './config';
import { createEngines } from './engines/create-engines';
import { sessionsOperations } from './http/operations';
import { SessionsModule } from './sessions.module';
import { createSessionsRuntime, journalWorkers, type SessionsPorts } from './sessions-runtime';
import { createSessionSignals } from './signals';
import { createStreamSignals } from './streams/stream-signals';

export interface SessionsPartOptions {
  /** Gives the base URL by which engines reach this app, where no setting says it. Default: where HTTP listens. */
  readonly callbackBase?: () => string;
}

/** The app of sessions as a part of a process. */
export async function createSessionsPart(
  host: AppHost,
  config: SessionsConfig,
  options: SessionsPartOptions = {},
): Promise<AppPart> {
  const { engine } = host;
  const ports: SessionsPorts = {
    config,
    log: await engine.durableLog(),
    feed: await host.feed(),
    store: await engine.sessionStore(),
    documents: await engine.sessionDocuments(),
    events: await engine.sessionEvents(),
    files: await engine.fileStore(),
    reader: await engine.readModel(),
    limiter: host.limiter,
    failures: host.failures,
    streams: new OpenStreams(),
    deltas: (await engine.coordination()).sessionDeltas,
    streamSignals: createStreamSignals(host.metrics, host.logger),
    clock: SYSTEM_CLOCK,
    signals: createSessionSignals(host.metrics, host.logger),
  };
  const runtime = createSessionsRuntime(ports, (sessionId) => engines.wake(sessionId));
  const { callbackBase = () => baseUrlOf(host.config.http) } = options;
  const engines = createEngines(ports, runtime, () => config.callbackUrl ?? callbackBase());
  return {
    name: 'sessions',
    module: SessionsModule.register(ports, runtime, await host.gatekeeper()),
    workers: [...journalWorkers(runtime, ports), ...engines.workers, streamWorker(ports, host)],
    checks: [await durableLogCheck(engine), await readModelCheck(engine)],
    operations: sessionsOperations,
  };
}

/** As this machine reaches itself: an address that stands for all of them is none to connect to. */
function baseUrlOf({ host, port }: AppHost['config']['http']): string {
  const isEvery = host === '0.0.0.0' || host === '::';
  const name = isEvery ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Ends the streams of a process that stops, one by one: clients open new ones elsewhere. */
function streamWorker({ streams, config }: SessionsPorts, host: AppHost): Worker {
  const spreadMs = boundedSpreadMs(config.drainSpreadMs, host.config.drain);
  return { name: 'session streams', start: () => Promise.resolve(), stop: () => streams.endAll({ spreadMs }) };
}
