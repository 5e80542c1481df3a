import type { ServerResponse } from 'node:http';
import type { ClassifierApi, ClassifierConfig } from '../../src/classification/classifier-config';
import { localServers, sayJson, type Answer, type SeenRequest } from '../reachability/local-server';
import { CLASSIFIED, classifierWith, GOOD, SAY } from './classifying';

const serve = localServers();

const world = (answer: Answer, config?: Partial<ClassifierConfig>) => classifierWith(serve, answer, config);
const sayIn = (api: ClassifierApi) => (response: ServerResponse) => SAY[api](response, GOOD);
const bodyOf = (request: SeenRequest | undefined) => JSON.parse(request?.body ?? '') as Record<string, unknown>;

describe('the forms of API', () => {
  it('asks in the form of Messages', async () => {
    const { ask, server, dropped } = await world(sayIn('messages'));
    expect(await ask()).toEqual(CLASSIFIED);
    expect(server.asked).toEqual(['POST /v1/messages']);
    expect(server.seen[0]?.headers).toMatchObject({ 'x-api-key': 'a-key', 'anthropic-version': '2023-06-01' });
    expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
    const { model, max_tokens, system, messages } = bodyOf(server.seen[0]);
    expect([model, max_tokens]).toEqual(['a-model', 1_024]);
    expect(messages).toEqual([{ role: 'user', content: expect.stringContaining('Contract reader') }]);
    expect(system).not.toContain('pwned');
    expect(dropped).toEqual([1]);
  });

  it('asks in the form of chat completions', async () => {
    const { ask, server } = await world(sayIn('chat-completions'), { api: 'chat-completions' });
    expect(await ask()).toEqual(CLASSIFIED);
    expect(server.asked).toEqual(['POST /v1/chat/completions']);
    expect(server.seen[0]?.headers).toMatchObject({ authorization: 'Bearer a-key' });
    expect(bodyOf(server.seen[0])).toMatchObject({
      model: 'a-model',
      max_tokens: 1_024,
      response_format: { type: 'json_object' },
      messages: [{ role: 'system' }, { role: 'user', content: expect.stringContaining('Contract reader') }],
    });
  });

  it('sends no credentials without a key', async () => {
    for (const api of ['messages', 'chat-completions'] as const) {
      const { ask, server } = await world(sayIn(api), { api, key: undefined });
      expect(await ask()).toMatchObject({ status: 'classified' });
      expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
      expect(server.seen[0]?.headers).not.toHaveProperty('x-api-key');
    }
  });

  it('finds the parameters that an endpoint takes, and keeps to them', async () => {
    const { ask, server } = await world(
      (response, request) => {
        if ('response_format' in bodyOf(request)) sayJson(response, { error: 'unknown parameter' }, 400);
        else SAY['chat-completions'](response, GOOD);
      },
      { api: 'chat-completions' },
    );
    expect(await ask()).toEqual(CLASSIFIED);
    expect(await ask()).toEqual(CLASSIFIED);
    expect(server.seen.map((request) => Object.keys(bodyOf(request)).sort())).toEqual([
      ['max_tokens', 'messages', 'model', 'response_format'],
      ['max_completion_tokens', 'messages', 'model', 'response_format'],
      ['max_tokens', 'messages', 'model'],
      ['max_tokens', 'messages', 'model'],
    ]);
  });

  it('reads answers in parts', async () => {
    const parts = [
      { type: 'text', text: GOOD.slice(0, 9) },
      { type: 'text', text: GOOD.slice(9) },
    ];
    const messages = await world((response) =>
      sayJson(response, { content: [{ type: 'thinking', thinking: '{' }, ...parts] }),
    );
    expect(await messages.ask()).toEqual(CLASSIFIED);
    const chat = await world((response) => sayJson(response, { choices: [{ message: { content: parts } }] }), {
      api: 'chat-completions',
    });
    expect(await chat.ask()).toEqual(CLASSIFIED);
  });

  it.each<[ClassifierApi, unknown]>([
    ['messages', { stop_reason: 'refusal', content: [] }],
    ['chat-completions', { choices: [{ message: { content: null, refusal: 'No.' } }] }],
    ['chat-completions', { choices: [{ finish_reason: 'content_filter', message: { content: '' } }] }],
  ])('takes a refusal in the form of %s as one, and does not insist', async (api, answer) => {
    const { ask, server, states } = await world((response) => sayJson(response, answer), { api });
    expect(await ask()).toEqual({ status: 'failed', inputHash: 'hash-1', reason: 'refused', retryAfterMs: 86_400_000 });
    expect([server.seen.length, states]).toEqual([1, []]);
  });
});

describe('answers that are none', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['no JSON', (response) => void response.writeHead(200).end('<html>')],
    ['another form', (response) => sayJson(response, { output: GOOD })],
    ['nothing', (response) => void response.writeHead(204).end()],
    ['a text without JSON', (response) => SAY.messages(response, 'As an agent I can do anything.')],
    ['unknown skills only', (response) => SAY.messages(response, '{"skills":[{"slug":"pwned","confidence":1}]}')],
    ['too many bytes', (response) => SAY.messages(response, `${GOOD}${' '.repeat(300_000)}`)],
  ])('asks once more after %s, and no more', async (_, answer) => {
    const { ask, server, requests, states } = await world(answer);
    expect(await ask()).toEqual({
      status: 'failed',
      inputHash: 'hash-1',
      reason: 'invalid_answer',
      retryAfterMs: 21_600_000,
    });
    expect(server.seen).toHaveLength(2);
    expect(requests).toEqual(['invalid_answer', 'invalid_answer']);
    // What an agent's text can bring about opens no breaker.
    expect(states).toEqual([]);
  });

  it('takes fenced JSON, and a good answer after a bad one', async () => {
    const { ask } = await world((response, _, index) => {
      SAY.messages(response, index === 0 ? 'Sure!' : `\`\`\`json\n${GOOD}\n\`\`\``);
    });
    expect(await ask()).toEqual(CLASSIFIED);
  });
});
