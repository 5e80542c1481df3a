import { readFile } from 'node:fs/promises';
import type { Effect } from './effect';

/** How programs say that a disk is full. */
const NO_SPACE = /no space left|out of space|ENOSPC|disk full/i;

/** Does something to a disk, and counts the lines in which a log tells of no space since then. */
export async function countComplaints(
  logFile: string,
  of: string,
  work: () => Promise<readonly Effect[]>,
): Promise<readonly Effect[]> {
  const count = async () => complaintsIn(await readFile(logFile, 'utf8'));
  const before = await count();
  const effects = await work();
  return [...effects, { what: `complaints of ${of}`, count: (await count()) - before }];
}

export function complaintsIn(text: string): number {
  return text.split('\n').filter((line) => NO_SPACE.test(line)).length;
}
