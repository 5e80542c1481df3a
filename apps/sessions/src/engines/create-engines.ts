import { BUILT_IN_ENGINE } from '@sluice/agent-sessions';
import { newEventId } from '@sluice/event-schema';
import { createSafeFetch, parsePrivateAllowList } from '@sluice/safe-fetch';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { Clock } from '../clock';
import type { EngineConfig } from '../config';
import type { SessionsPorts, SessionsRuntime } from '../sessions-runtime';
import { BuiltInEngine } from './built-in-engine';
import { Dispatcher } from './dispatcher';
import { EngineFailed, type Engine } from './engine';
import { FileContents } from './file-contents';
import { ModelEndpoint } from './model-endpoint';
import { DEFAULT_MODEL_ENGINE_OPTIONS, ModelEngine } from './model-engine';
import { ProcessEngine } from './process-engine';
import type { RegisteredEngines } from './registered-engines';
import { RunCalls } from './run-calls';
import { RunReaper } from './run-reaper';
import { WebhookEngine } from './webhook-engine';

/** How long a process that died keeps others from going on with what it had in hand. */
const LEASE_MS = 15_000;

/** How long work may go on for a run that was ended at another replica. */
const WATCH_INTERVAL_MS = 1_000;

/** Most that is told at a time. */
const CONCURRENCY = 32;

/** How long what is to be told may take to be recorded until it is tried again. */
const INPUT_WAIT_MS = 5_000;

/** What works on runs, in this process or told by it. */
export interface Engines {
  readonly dispatcher: Dispatcher;
  /** The loops that tell engines, and end what they leave. */
  readonly workers: readonly Worker[];
  readonly engineOf: (name: string) => Engine;
  /** Something is to be told, of this session. */
  wake(sessionId: string): void;
}

/** @param callbackBase gives the URL under which this app is reached by engines; asked for each run */
export function createEngines(ports: SessionsPorts, runtime: SessionsRuntime, callbackBase: () => string): Engines {
  const { config, store, documents, events, feed, deltas, clock, signals } = ports;
  const { journal, reports } = runtime;
  const files = new FileContents(documents, ports.files);
  const byKind = new Map<string, Engine>([[BUILT_IN_ENGINE, new BuiltInEngine(deltas)]]);
  const processes = processEngine(config.engines, { ...ports, files, journal }, config.pollIntervalMs);
  if (processes) byKind.set('process', processes);
  if (sharesUser(config.engines)) signals.engineSharesUser();
  const { model } = config.engines;
  if (model) {
    const options = { ...DEFAULT_MODEL_ENGINE_OPTIONS, maxTokens: model.maxTokens };
    byKind.set(
      'model',
      new ModelEngine(
        { store, events, files, deltas, endpoint: new ModelEndpoint(model, (failure) => signals.modelFailed(failure)) },
        options,
      ),
    );
  }
  const webhooks = webhookEngine(config.engines, runtime.holdings.engines, clock);
  const engineOf = (name: string): Engine => byKind.get(name) ?? (name.startsWith('eng_') ? webhooks : NO_ENGINE);
  const dispatcher = new Dispatcher(
    {
      store,
      calls: new RunCalls({
        store,
        events,
        feed,
        files,
        clock,
        callbackUrl: (sessionId, runId) => callbackUrl(callbackBase(), sessionId, runId),
        inputWaitMs: INPUT_WAIT_MS,
        runTimeoutMs: config.runTimeoutMs,
      }),
      reports,
      journal,
      engineOf,
      signals,
    },
    {
      holder: newEventId(),
      leaseMs: LEASE_MS,
      watchIntervalMs: WATCH_INTERVAL_MS,
      pollIntervalMs: config.pollIntervalMs,
      concurrency: CONCURRENCY,
      maxRuns: config.engines.maxRuns,
    },
  );
  const onReaperFault = (error: unknown) => signals.fault('run reaper', error);
  const reaper = new RunReaper(store, journal, clock, onReaperFault);
  const reaping = new PollingWorker(
    'session run reaper',
    config.pollIntervalMs,
    (signal) => reaper.poll(signal),
    onReaperFault,
  );
  return {
    dispatcher,
    workers: [dispatcher, reaping],
    engineOf,
    wake: (sessionId) => {
      dispatcher.wake(sessionId);
      processes?.wake(sessionId);
    },
  };
}

/** What an agent names that this server does not have. */
const NO_ENGINE: Engine = {
  handle: ({ engine }) => Promise.reject(new EngineFailed(`This server has no engine named ${engine}`)),
};

function callbackUrl(base: string, sessionId: string, runId: string): string {
  return `${base.replace(/\/+$/, '')}/runtime/v1/sessions/${sessionId}/runs/${runId}/events`;
}

/** Whether processes of engines can read what this one has. */
function sharesUser({ process: engine }: EngineConfig): boolean {
  const ownUid = process.getuid?.();
  return engine !== undefined && (engine.user?.uid ?? ownUid) === ownUid;
}

function processEngine(
  { process }: EngineConfig,
  ports: ConstructorParameters<typeof ProcessEngine>[0],
  pollIntervalMs: number,
): ProcessEngine | undefined {
  if (!process) return undefined;
  return new ProcessEngine(ports, { ...process, pollIntervalMs });
}

function webhookEngine({ allowPrivateUrls }: EngineConfig, engines: RegisteredEngines, clock: Clock): WebhookEngine {
  const fetch = createSafeFetch({
    userAgent: 'Sluice',
    allowPrivate: parsePrivateAllowList(allowPrivateUrls),
    // As many as are told at a time may be those of one engine.
    limits: { maxConcurrent: CONCURRENCY, maxConcurrentPerHost: CONCURRENCY },
  });
  return new WebhookEngine(engines, fetch, clock);
}
