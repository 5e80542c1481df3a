import fc from 'fast-check';
import { MAX_ANSWER_BYTES, ModelFailed, type ModelAnswer } from './model-answer';
import { MAX_STREAM_BYTES, StreamedAnswer } from './streamed-answer';

const event = (data: { readonly type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const begin = (index: number, block: { readonly type: string }) =>
  event(Object.assign({ type: 'content_block_start' }, { index, content_block: block }));
const more = (index: number, delta: { readonly type: string }) =>
  event(Object.assign({ type: 'content_block_delta' }, { index, delta }));
const text = (index: number, words: string) => more(index, Object.assign({ type: 'text_delta' }, { text: words }));
const json = (index: number, part: string) =>
  more(index, Object.assign({ type: 'input_json_delta' }, { partial_json: part }));
const START = event(
  Object.assign({ type: 'message_start' }, { message: { usage: { input_tokens: 10, output_tokens: 1 } } }),
);
const stopFor = (reason: string) =>
  event(Object.assign({ type: 'message_delta' }, { delta: { stop_reason: reason }, usage: { output_tokens: 5 } }));
const STOP = event({ type: 'message_stop' });

class Heard {
  thoughts = 0;
  readonly texts: [block: number, text: string][] = [];
  onThinking = (): void => void (this.thoughts += 1);
  onText = (block: number, said: string): void => void this.texts.push([block, said]);

  joined(block: number): string {
    return this.texts.flatMap(([of, said]) => (of === block ? [said] : [])).join('');
  }
}

function read(...chunks: readonly (string | Uint8Array)[]): { answer: ModelAnswer; heard: Heard } {
  const heard = new Heard();
  const answer = new StreamedAnswer(heard);
  for (const chunk of chunks) answer.take(Buffer.from(chunk));
  return { answer: answer.end(), heard };
}

const failureOf = (...chunks: readonly string[]): ModelFailed => {
  try {
    read(...chunks);
  } catch (error) {
    if (error instanceof ModelFailed) return error;
    throw error;
  }
  throw new Error('It was read');
};

const WHOLE = [
  START,
  event({ type: 'ping' }),
  event({ type: 'something_new' }),
  begin(0, { type: 'thinking' }),
  more(0, { type: 'thinking_delta' }),
  begin(1, { type: 'text' }),
  text(1, 'Hello '),
  text(1, 'wörld 😀'),
  event({ type: 'content_block_stop' }),
  begin(2, Object.assign({ type: 'tool_use' }, { id: 't', name: 'add', input: {} })),
  json(2, '{"n":'),
  json(2, '1}'),
  begin(3, Object.assign({ type: 'tool_use' }, { id: 'u', name: 'now', input: {} })),
  stopFor('tool_use'),
  STOP,
].join('');

describe('an answer that comes as a stream', () => {
  it('is the one that would come whole, and is heard as it comes, wherever the stream is cut', () => {
    const bytes = Buffer.from(WHOLE);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (places) => {
        const cuts = [0, ...places.sort((one, other) => one - other), bytes.length];
        const { answer, heard } = read(...cuts.slice(1).map((end, n) => bytes.subarray(cuts[n], end)));
        expect(answer).toEqual({
          content: [
            { type: 'thinking' },
            { type: 'text', text: 'Hello wörld 😀' },
            { type: 'tool_use', id: 't', name: 'add', input: { n: 1 } },
            { type: 'tool_use', id: 'u', name: 'now', input: {} },
          ],
          stop_reason: 'tool_use',
          usage: { input_tokens: 10, output_tokens: 5 },
        });
        expect(heard.thoughts).toBe(1);
        expect(heard.joined(1)).toBe('Hello wörld 😀');
        expect(heard.texts.every(([block, said]) => block === 1 && said !== '')).toBe(true);
      }),
    );
  });

  it('says at once when it is whole, and reads nothing after it', () => {
    const heard = new Heard();
    const answer = new StreamedAnswer(heard);
    expect(answer.take(Buffer.from(START + begin(0, { type: 'text' }) + text(0, 'a')))).toBe(false);
    expect(heard.texts).toEqual([[0, 'a']]);
    expect(answer.take(Buffer.from(stopFor('end_turn') + STOP + text(0, 'b')))).toBe(true);
    expect(answer.end().content).toEqual([{ type: 'text', text: 'a' }]);
    expect(heard.texts).toEqual([[0, 'a']]);
  });

  it('has broken off when it ends without saying why, and may be asked for again', () => {
    expect(failureOf(START, begin(0, { type: 'text' }), text(0, 'a'))).toMatchObject({
      type: 'model_request_failed_error',
      isPassing: true,
    });
    expect(read(START, begin(0, { type: 'text' }), text(0, 'a'), stopFor('end_turn')).answer.content).toHaveLength(1);
  });

  it.each([
    ['overloaded_error', 'model_overloaded_error', true, ''],
    ['rate_limit_error', 'model_rate_limited_error', true, ': why'],
    ['api_error', 'model_request_failed_error', true, ''],
    ['authentication_error', 'model_request_failed_error', false, ''],
    ['permission_error', 'model_request_failed_error', false, ''],
    ['billing_error', 'billing_error', false, ''],
    ['invalid_request_error', 'model_request_failed_error', false, ': why'],
    ['another_error', 'model_request_failed_error', true, ''],
  ])(
    'fails where it says %s, in words of its own only where they are for its caller',
    (said, type, isPassing, shown) => {
      const error = event(Object.assign({ type: 'error' }, { error: { type: said, message: 'why' } }));
      expect(failureOf(START, error)).toMatchObject({
        type,
        isPassing,
        message: `The model broke off its answer${shown}`,
        said: 'why',
      });
    },
  );

  it.each([
    ['more of a block that has not begun', text(0, 'a')],
    ['a block that begins twice', begin(0, { type: 'text' }) + begin(0, { type: 'text' })],
    ['a block without a number', event(Object.assign({ type: 'content_block_start' }, { content_block: {} }))],
    ['input that is no JSON', begin(0, { type: 'tool_use' }) + json(0, '{"n":') + stopFor('tool_use') + STOP],
    ['usage that is no number', stopFor('end_turn').replace('5', '"x"') + STOP],
  ])('cannot be read with %s', (_, stream) => {
    expect(failureOf(START, stream)).toMatchObject({ type: 'unknown_error', isPassing: false });
  });

  it('has no call that its bound of tokens cut off', () => {
    const { answer } = read(
      START,
      begin(0, { type: 'text' }) + text(0, 'a'),
      begin(1, { type: 'tool_use' }) + json(1, '{"n":'),
      stopFor('max_tokens') + STOP,
    );
    expect(answer.content).toEqual([{ type: 'text', text: 'a' }]);
  });

  it('is refused when it is too long, as an answer, as one event, or as a stream', () => {
    const tooLong = { type: 'unknown_error', message: 'The answer of the model is too long', isPassing: false };
    const million = 'a'.repeat(1_000_000);
    const long = Array.from({ length: 17 }, () => text(0, million));
    expect(failureOf(START, begin(0, { type: 'text' }), ...long)).toMatchObject(tooLong);
    expect(failureOf(`data: ${'a'.repeat(MAX_ANSWER_BYTES)}`)).toMatchObject(tooLong);
    const comment = Buffer.from(`:${'a'.repeat(1_000_000)}\n`);
    const answer = new StreamedAnswer(new Heard());
    const room = Math.floor(MAX_STREAM_BYTES / comment.byteLength);
    for (let n = 0; n < room; n++) answer.take(comment);
    expect(() => {
      answer.take(comment);
    }).toThrow('too long');
  });
});
