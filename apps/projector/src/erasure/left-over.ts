import type { ErasureStep } from '@sluice/event-log';

const PARTLY = 'A part of this step may be done.';
const LISTS = 'Lists may lack what is to be kept.';

/** What an erasure that was abandoned at a step has not erased, in words for people. The compiler asks for a line when a step is added. */
export const LEFT_OVER: { readonly [S in ErasureStep]: string } = {
  cutting: 'Nothing was erased.',
  marking: 'Nothing was erased.',
  settling: 'Nothing was erased.',
  catching_up: 'Nothing was erased.',
  log: 'The durable log may have lost the text or not; all else has it. Until it is erased, no rebuild may be able to keep positions.',
  events: `The durable log has lost the text; all else has it. ${PARTLY} ${LISTS} Until it is erased, no rebuild can keep positions.`,
  projections: `What was projected, parked records, the delivery log, and what apps keep have the text. ${LISTS}`,
  parked: `Parked records, the delivery log, and what apps keep have the text. ${PARTLY}`,
  publishing: 'The delivery log, and what apps keep have the text.',
  delivery: 'The delivery log may have the text, and what apps keep has it.',
  elsewhere: `What apps keep has the text: sessions, their files, and what webhooks were sent. ${PARTLY}`,
  expiring: 'Nothing: readers of the log may have had it in memory for some minutes.',
};
