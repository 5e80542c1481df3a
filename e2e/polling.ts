import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@sluice/event-log/conformance';

const PAUSE_MS = 50;

/** `until` for what the system has to be asked: between two questions it gets the processor to bring it about. */
export async function untilAnswer(
  isAnswer: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs: number,
): Promise<void> {
  await until(
    async () => {
      if (await isAnswer()) return true;
      await pause(PAUSE_MS);
      return false;
    },
    what,
    timeoutMs,
  );
}
