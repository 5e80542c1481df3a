import { decodeUtf8, toEpoch, type RecordedRun } from '@sluice/event-log';
import { decodeRecordedEvent, type EncodedRecordedEvent } from '@sluice/event-schema';

/** Part of a run that fits into one message. */
export interface RunMessage {
  /** Makes a repeated publication recognisable: epoch and the positions of the first and the last event. */
  readonly messageId: string;
  readonly payload: Uint8Array;
  readonly events: number;
}

export interface SplitRun {
  readonly messages: readonly RunMessage[];
  /** Events that fit into no message; followers read them from the read model. */
  readonly tooLarge: readonly EncodedRecordedEvent[];
}

/** Cuts a run into messages of at most `maxPayloadBytes`, in order: the events' lines of JSON, joined by line breaks. */
export function splitRun({ epoch, events }: RecordedRun, maxPayloadBytes: number): SplitRun {
  const messages: RunMessage[] = [];
  const tooLarge: EncodedRecordedEvent[] = [];
  let part: EncodedRecordedEvent[] = [];
  let partBytes = 0;
  const endPart = () => {
    const [first, last] = [part.at(0), part.at(-1)];
    if (first && last) {
      messages.push({
        messageId: `${epoch}:${first.event.position}-${last.event.position}`,
        payload: Buffer.from(part.map(({ json }) => json).join('\n')),
        events: part.length,
      });
    }
    part = [];
    partBytes = 0;
  };
  for (const event of events) {
    const lineBytes = Buffer.byteLength(event.json) + 1;
    if (lineBytes - 1 > maxPayloadBytes) {
      // What follows must not share a message with what came before: runs are contiguous.
      endPart();
      tooLarge.push(event);
      continue;
    }
    if (partBytes + lineBytes - 1 > maxPayloadBytes) endPart();
    part.push(event);
    partBytes += lineBytes;
  }
  endPart();
  return { messages, tooLarge };
}

/** @throws Error for a message that is no run: wrong epoch, broken text, or positions that are not contiguous. */
export function decodeRun(epoch: string, payload: Uint8Array): RecordedRun {
  const events = decodeUtf8(payload).split('\n').map(decodeRecordedEvent);
  const first: unknown = events[0]?.event?.position;
  for (const [i, { event }] of events.entries()) {
    const position: unknown = event?.position;
    if (!Number.isSafeInteger(position) || position !== Number(first) + i || Number(first) < 1) {
      throw new Error('The positions of the message are not contiguous');
    }
  }
  return { epoch: toEpoch(epoch), events };
}
