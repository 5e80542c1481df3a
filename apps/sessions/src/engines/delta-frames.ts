import { MAX_SESSION_DELTA_LENGTH, type PreviewedSessionEventType, type SessionDelta } from '@sluice/event-schema';

/** That an event of this id is being made. */
export function startDelta(type: PreviewedSessionEventType, id: string): SessionDelta {
  return { type: 'event_start', event: { type, id } };
}

/** More text of one entry of a message, in as many pieces as it needs. */
export function textDeltas(id: string, index: number, text: string): readonly SessionDelta[] {
  return piecesOf(text, MAX_SESSION_DELTA_LENGTH).map((piece) => ({
    type: 'event_delta',
    event_id: id,
    delta: { type: 'content_delta', index, content: { type: 'text', text: piece } },
  }));
}

/** Cut where no character is. */
export function piecesOf(text: string, maxLength: number): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const endsInside = /[\ud800-\udbff]/.test(text.charAt(at + maxLength - 1)) && at + maxLength < text.length;
    const length = endsInside && maxLength > 1 ? maxLength - 1 : maxLength;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
