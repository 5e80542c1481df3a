import { SluiceError, type DurableLog } from '@sluice/event-log';
import type { EngineSignals } from './engine-signals';

/** The log, with each append told to the signals: for adapters that do not count what was stored by themselves. */
export function countAppends(log: DurableLog, signals: Pick<EngineSignals, 'appended' | 'appendFailed'>): DurableLog {
  return {
    erasure: log.erasure,
    append: async (events) => {
      try {
        await log.append(events);
      } catch (error) {
        // What was refused for want of room was never tried.
        if (!(error instanceof SluiceError && error.code === 'overloaded')) signals.appendFailed();
        throw error;
      }
      signals.appended(events.length);
    },
    follow: (options) => log.follow(options),
    ends: () => log.ends(),
    starts: () => log.starts(),
    check: () => log.check(),
    close: () => log.close(),
  };
}
