import type { SessionDeltas } from '@sluice/agent-sessions';
import { piecesOf, startDelta, textDeltas } from './delta-frames';
import type { Engine, EngineTask } from './engine';

/**
 * The engine of agents that name none. It needs no model: it answers what was said last with the same words, so that
 * everything else can be tried.
 */
export class BuiltInEngine implements Engine {
  constructor(private readonly deltas: Pick<SessionDeltas, 'publish'>) {}

  async handle({ workspaceId, call, report }: EngineTask): Promise<void> {
    if (call.type !== 'run.start') return;
    const text = answerTo(call.input_events);
    const id = `${String(call.run_id)}_m`;
    const pieces = piecesOf(text, Math.max(MIN_PIECE_LENGTH, Math.ceil(text.length / MAX_PIECES)));
    const deltas = pieces.flatMap((piece) => textDeltas(id, 0, piece));
    this.deltas.publish({ workspaceId, sessionId: call.session_id }, [startDelta('agent.message', id), ...deltas]);
    await report('answer', [
      { type: 'agent.message', id, content: [{ type: 'text', text }] },
      { type: 'session.status_idle', stop_reason: { type: 'end_turn' } },
    ]);
  }
}

/** Longest answer, in characters. */
const MAX_ANSWER_LENGTH = 10_000;

/** An answer is shown in so many pieces at most while it is made, none shorter than this but the last. */
const MAX_PIECES = 8;
const MIN_PIECE_LENGTH = 4;

function answerTo(inputs: readonly Readonly<Record<string, unknown>>[]): string {
  const texts = inputs.flatMap(({ content }) => (Array.isArray(content) ? content.flatMap(textOf) : []));
  const text = texts.join('\n').slice(0, MAX_ANSWER_LENGTH);
  return text === '' ? 'Received.' : `You said: ${text}`;
}

function textOf(block: unknown): string[] {
  const { type, text, title } = Object(block) as { type?: unknown; text?: unknown; title?: unknown };
  if (typeof text === 'string') return [text];
  return typeof type === 'string' ? [`[${type}${typeof title === 'string' ? `: ${title}` : ''}]`] : [];
}
