import { sessionDeltaSchema, type SessionDelta } from '@sluice/event-schema';
import { z } from 'zod';
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_DELTAS } from './options';

/** One message about one session. */
export interface DeltaMessage {
  readonly deltas: readonly SessionDelta[];
  /** Something that was published before is missing. */
  readonly isAfterGap: boolean;
}

/** As short as it can be: there is one for each few words of a model. */
const messageSchema = z.tuple([z.literal([0, 1]), z.array(sessionDeltaSchema).min(1).max(MAX_MESSAGE_DELTAS)]);

/** Room for what is around the deltas of a message. */
const FRAME_BYTES = 16;

/** Deltas in as many parts as messages need, in their order; each has at least one. */
export function partsOf(deltas: readonly SessionDelta[]): readonly (readonly SessionDelta[])[] {
  const parts: SessionDelta[][] = [];
  let sizeBytes = Infinity;
  for (const delta of deltas) {
    const deltaBytes = Buffer.byteLength(JSON.stringify(delta)) + 1;
    const last = parts.at(-1);
    if (last && last.length < MAX_MESSAGE_DELTAS && sizeBytes + deltaBytes <= MAX_MESSAGE_BYTES) {
      last.push(delta);
      sizeBytes += deltaBytes;
    } else {
      parts.push([delta]);
      sizeBytes = FRAME_BYTES + deltaBytes;
    }
  }
  return parts;
}

export function encodeDeltas({ deltas, isAfterGap }: DeltaMessage): string {
  return JSON.stringify([isAfterGap ? 1 : 0, deltas]);
}

/** What another process published. Undefined for what is no message of ours. */
export function decodeDeltas(text: string): DeltaMessage | undefined {
  if (text.length > MAX_MESSAGE_BYTES) return undefined;
  try {
    const { data } = messageSchema.safeParse(JSON.parse(text));
    return data && { isAfterGap: data[0] === 1, deltas: data[1] };
  } catch {
    return undefined;
  }
}
