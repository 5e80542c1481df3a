import type { SessionDelta } from '@sluice/event-schema';
import { startDelta, textDeltas } from './delta-frames';
import type { AnswerListener } from './model-answer';

/** Shows an answer while it comes, under the ids that its events will have. */
export class ModelPreview implements AnswerListener {
  private isThinkingShown = false;
  /** Entries of the message, by the number of their block: blocks without text have none. */
  private readonly entries = new Map<number, number>();

  constructor(
    private readonly requestId: string,
    private readonly publish: (deltas: readonly SessionDelta[]) => void,
  ) {}

  onThinking(): void {
    if (this.isThinkingShown) return;
    this.isThinkingShown = true;
    this.publish([startDelta('agent.thinking', thinkingId(this.requestId))]);
  }

  onText(block: number, text: string): void {
    const id = messageId(this.requestId);
    const start = this.entries.size === 0 ? [startDelta('agent.message', id)] : [];
    const entry = this.entries.get(block) ?? this.entries.size;
    this.entries.set(block, entry);
    this.publish([...start, ...textDeltas(id, entry, text)]);
  }
}

/** Of the message that comes of a request. */
export function messageId(requestId: string): string {
  return `${requestId}_m`;
}

/** Of the event that says that the model has thought. */
export function thinkingId(requestId: string): string {
  return `${requestId}_thought`;
}
