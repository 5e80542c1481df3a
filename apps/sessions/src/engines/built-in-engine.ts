import type { Engine, EngineTask } from './engine';

/**
 * The engine of agents that name none. It needs no model: it answers what was said last with the same words, so that
 * everything else can be tried.
 */
export class BuiltInEngine implements Engine {
  async handle({ call, report }: EngineTask): Promise<void> {
    if (call.type !== 'run.start') return;
    const content = [{ type: 'text', text: answerTo(call.input_events) }];
    await report('answer', [
      { type: 'agent.message', content },
      { type: 'session.status_idle', stop_reason: { type: 'end_turn' } },
    ]);
  }
}

/** Longest answer, in characters. */
const MAX_ANSWER_LENGTH = 10_000;

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
