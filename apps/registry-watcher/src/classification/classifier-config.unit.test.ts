import { endpointUrl } from './classifier-config';

it.each([
  ['messages', 'https://api.example.com', 'https://api.example.com/v1/messages'],
  ['messages', 'https://api.example.com/v1/', 'https://api.example.com/v1/messages'],
  ['messages', 'https://gate.example.com/models', 'https://gate.example.com/models/v1/messages'],
  ['messages', 'https://gate.example.com/x/v1/messages', 'https://gate.example.com/x/v1/messages'],
  ['chat-completions', 'http://127.0.0.1:8000', 'http://127.0.0.1:8000/v1/chat/completions'],
  ['chat-completions', 'https://api.example.com/v1', 'https://api.example.com/v1/chat/completions'],
  ['chat-completions', 'https://api.example.com/openai/', 'https://api.example.com/openai/chat/completions'],
  ['chat-completions', 'https://a.example/x/chat/completions?v=1', 'https://a.example/x/chat/completions?v=1'],
] as const)('sends %s for the base %s to %s', (api, url, endpoint) => {
  expect(endpointUrl({ api, url })).toBe(endpoint);
});

it.each([
  '',
  'api.example.com',
  'ftp://api.example.com',
  'https://key@api.example.com',
  'https://:key@api.example.com',
])('does not take %j for a base', (url) => {
  expect(() => endpointUrl({ api: 'messages', url })).toThrow(expect.objectContaining({ code: 'configuration' }));
});
