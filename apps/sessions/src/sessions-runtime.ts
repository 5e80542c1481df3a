import type { FileStore, SessionDeltas, SessionDocuments, SessionStore } from '@sluice/agent-sessions';
import type { CallerLimiter, FailedAuthenticationLimiter } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import { KeyedLocks, type DurableLog, type RecordedEventReader } from '@sluice/event-log';
import type { OpenStreams } from '@sluice/event-streams';
import type { SessionEvents } from '@sluice/projections';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { Clock } from './clock';
import type { SessionsConfig } from './config';
import { createHoldings, type Holdings } from './holdings';
import { EngineReports } from './journal/engine-reports';
import { OutboxShipper } from './journal/outbox-shipper';
import { SessionJournal } from './journal/session-journal';
import type { SessionSignals } from './signals';
import type { SessionStreamSignals } from './streams/stream-signals';

/** What the app is given. */
export interface SessionsPorts {
  readonly config: SessionsConfig;
  readonly log: DurableLog;
  readonly feed: EventFeed;
  readonly store: SessionStore;
  readonly documents: SessionDocuments;
  readonly events: SessionEvents;
  readonly files: FileStore;
  readonly reader: Pick<RecordedEventReader, 'head'>;
  readonly limiter: CallerLimiter;
  readonly failures: FailedAuthenticationLimiter;
  readonly streams: OpenStreams;
  readonly streamSignals: SessionStreamSignals;
  readonly deltas: SessionDeltas;
  readonly clock: Clock;
  readonly signals: SessionSignals;
}

/** What its doors and its loops share. */
export interface SessionsRuntime {
  readonly journal: SessionJournal;
  readonly reports: EngineReports;
  readonly shipper: OutboxShipper;
  readonly holdings: Holdings;
}

/** A day: longer than any caller repeats a request. */
const RECEIPT_AGE_MS = 86_400_000;
const RECEIPT_INTERVAL_MS = 60_000;
const RECEIPTS_AT_ONCE = 10_000;
const LEFTOVER_INTERVAL_MS = 60_000;
/** Files that have expired are not shown meanwhile. */
const FILE_SWEEP_INTERVAL_MS = 30_000;

/** @param onDispatch told when there is something to tell to engines, of which session */
export function createSessionsRuntime(ports: SessionsPorts, onDispatch: (sessionId: string) => void): SessionsRuntime {
  const { config, log, feed, store, events, clock, signals } = ports;
  const shipper = new OutboxShipper(store, log, signals);
  const journal = new SessionJournal({
    store,
    events,
    feed,
    shipper,
    locks: new KeyedLocks((reason) => signals.refusedCommand(reason)),
    clock,
    signals,
    confirmWaitMs: config.confirmWaitMs,
    runTimeoutMs: config.runTimeoutMs,
    onDispatch,
  });
  return { journal, reports: new EngineReports(journal), shipper, holdings: createHoldings(ports) };
}

/** The loops that keep the journal and the files whole. */
export function journalWorkers({ shipper, holdings }: SessionsRuntime, ports: SessionsPorts): readonly Worker[] {
  const { config, store, signals } = ports;
  return [
    new PollingWorker(
      'session outbox',
      config.pollIntervalMs,
      (signal) => shipper.sweep(signal),
      (error) => signals.fault('outbox', error),
    ),
    new PollingWorker(
      'session receipts',
      RECEIPT_INTERVAL_MS,
      async () => (await store.forgetReceipts(RECEIPT_AGE_MS, RECEIPTS_AT_ONCE)) === RECEIPTS_AT_ONCE,
      (error) => signals.fault('receipts', error),
    ),
    new PollingWorker(
      'session leftovers',
      LEFTOVER_INTERVAL_MS,
      (signal) => holdings.tokens.sweep(async (...of) => (await store.load(...of))?.state, signal),
      (error) => signals.fault('leftovers', error),
    ),
    new PollingWorker(
      'session files',
      FILE_SWEEP_INTERVAL_MS,
      (signal) => holdings.files.sweep(signal),
      (error) => signals.fault('files', error),
    ),
  ];
}
