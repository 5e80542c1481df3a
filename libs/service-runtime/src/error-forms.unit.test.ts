import { startApp } from '../test/http-fixture';
import { ErrorForms } from './error-forms';
import type { HttpApp } from './index';

describe('forms of errors', () => {
  it('are those of a path and of what is below it, by whole segments', () => {
    const forms = new ErrorForms();
    const [first, second] = [jest.fn(), jest.fn()];
    forms.add('/a/b', first);
    forms.add('/a', second);
    for (const url of ['/a/b', '/a/b/', '/a/b/c', '/a/b?c', '//a//b/c']) expect(forms.of(url)).toBe(first);
    for (const url of ['/a', '/a/bc', '/a?/a/b']) expect(forms.of(url)).toBe(second);
    for (const url of ['/', '', '/ab', '/x/a/b', '/A/b', '*']) expect(forms.of(url)).toBeUndefined();
  });

  describe('at a server', () => {
    let app: HttpApp;
    beforeAll(async () => {
      ({ app } = await startApp({
        routes: ({ fastify }) => {
          fastify.get('/own/route/:part', () => {
            throw new Error('within');
          });
          fastify.errorForms.add('/own', (_thrown, _request, reply) => void reply.code(418).send('own form'));
        },
      }));
    });
    afterAll(() => app.close());

    it.each([
      ['GET', '/own/nothing'],
      ['DELETE', '/own/route/x'],
      ['GET', '/own/route/x'],
      ['GET', '/own/route/%zz'],
      ['GET', `/own/route/${'x'.repeat(600)}`],
    ] as const)('are used for %s %s', async (method, url) => {
      const answer = await app.fastify.inject({ method, url });
      expect([answer.statusCode, answer.body]).toEqual([418, 'own form']);
      expect(answer.headers['x-request-id']).toEqual(expect.any(String));
    });

    it.each([
      ['/nothing', 404],
      ['/bare/%zz', 400],
      ['/bare/unknown', 500],
    ])('leave %s as it is', async (url, status) => {
      const answer = await app.fastify.inject({ url });
      expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining({ success: false })]);
    });
  });
});
