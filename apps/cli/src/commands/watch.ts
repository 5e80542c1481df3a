import { setTimeout as pause } from 'node:timers/promises';
import { jsonLine, type CommandContext } from '../context';

/** How often what is waited for is looked at. */
const POLL_INTERVAL_MS = 1_000;

/** Lost answers in a row after which nobody waits any more: about half a minute. */
const MAX_LOST_ANSWERS = 30;

/** Work of the platform, as its door tells of it. */
export type Work = Readonly<Record<string, unknown>>;

/**
 * Waits until work that the platform does is finished or abandoned, and prints each change of it as one line of JSON.
 *
 * @param check throws where what is read is not to be waited for any more
 * @returns how it ended
 * @throws whatever `read` threw last, when nothing is heard of it for long
 */
export async function watchWork(
  context: CommandContext,
  first: Work,
  read: () => Promise<Work>,
  check: (work: Work) => void = () => undefined,
): Promise<Work> {
  let last = first;
  let lostAnswers = 0;
  while (last['finishedAt'] === undefined && last['abandonedAt'] === undefined) {
    await pause(POLL_INTERVAL_MS, undefined, { signal: context.terminal.stopped });
    let work: Work;
    try {
      work = await read();
      lostAnswers = 0;
    } catch (error) {
      // The process that answers may be restarted meanwhile; the work goes on.
      if (++lostAnswers > MAX_LOST_ANSWERS || context.terminal.stopped.aborted) throw error;
      continue;
    }
    check(work);
    if (jsonLine(work) !== jsonLine(last)) await context.terminal.print(jsonLine(work));
    last = work;
  }
  return last;
}
