import fc from 'fast-check';
import { cardUrls, isAgentCard } from './agent-card';

describe('cardUrls', () => {
  it('looks below the endpoint, at the root, and at the endpoint itself, with the newer name first', () => {
    expect(cardUrls('https://a.example:8443/agents/7/?key=1#part')).toEqual([
      'https://a.example:8443/agents/7/.well-known/agent-card.json',
      'https://a.example:8443/agents/7/.well-known/agent.json',
      'https://a.example:8443/.well-known/agent-card.json',
      'https://a.example:8443/.well-known/agent.json',
      'https://a.example:8443/agents/7/?key=1',
    ]);
  });

  it('begins with the endpoint where that is a document', () => {
    expect(cardUrls('https://a.example/.well-known/agent-card.json')).toEqual([
      'https://a.example/.well-known/agent-card.json',
      'https://a.example/.well-known/agent.json',
    ]);
    expect(cardUrls('https://a.example/x/.well-known/agent')[0]).toBe('https://a.example/x/.well-known/agent');
  });

  it('gives at most five different URLs of the same origin, for any endpoint', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (endpoint) => {
        const urls = cardUrls(endpoint);
        expect(urls.length).toBeLessThanOrEqual(5);
        expect(new Set(urls).size).toBe(urls.length);
        for (const url of urls) expect(new URL(url).origin).toBe(new URL(endpoint).origin);
      }),
    );
  });
});

it('takes for a card what has a name or skills, and nothing else', () => {
  expect([{ name: 'a' }, { skills: [{}] }, { name: 1, skills: ['a'] }].map(isAgentCard)).toEqual([true, true, true]);
  expect([{ name: '' }, { name: 1 }, { skills: {} }, [], null, 'a', 1].some(isAgentCard)).toBe(false);
  fc.assert(fc.property(fc.jsonValue(), (value) => typeof isAgentCard(value) === 'boolean'));
});
