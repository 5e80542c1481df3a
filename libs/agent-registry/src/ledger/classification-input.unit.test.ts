import fc from 'fast-check';
import { block, dataUri, registration, uriUpdated } from '../../test/samples';
import { WatchedChain } from '../../test/watched-chain';
import type { ClassificationRequest } from '..';

async function agentOf(file: object) {
  const chain = new WatchedChain({ classifierAvailable: true, probeFirstDelayMs: 0 });
  await chain.apply([block(1, [registration('1', dataUri(file))])]);
  return chain;
}
const inputOf = (request: ClassificationRequest | undefined) =>
  JSON.stringify([request?.name, request?.description, request?.serviceNames]);

it('has an agent classified anew where the classifier is told something else, and only there', async () => {
  const service = fc.record({ name: fc.constantFrom('MCP', 'mcp', 'x'), endpoint: fc.constantFrom('', 'https://b') });
  const file = fc.record({
    name: fc.constantFrom('', 'a', 'b', 'n'.repeat(300)),
    description: fc.constantFrom('d', `d${'e'.repeat(5_000)}`),
    services: fc.oneof(fc.array(service, { maxLength: 2 }), fc.array(service, { minLength: 20, maxLength: 22 })),
    image: fc.constantFrom('', 'https://image'),
    // What the taxonomy does not have is not told.
    skills: fc.constantFrom([], ['nothing of the kind']),
  });
  await fc.assert(
    fc.asyncProperty(file, file, async (one, other) => {
      const chain = await agentOf(one);
      const before = await chain.classificationRequest('1');
      await chain.apply([block(2, [[uriUpdated('1', dataUri(other))]])]);
      const after = await chain.classificationRequest('1');
      expect(before?.inputHash === after?.inputHash).toBe(inputOf(before) === inputOf(after));
    }),
    { numRuns: 200 },
  );
});

it('tells a classifier bounded texts (G9)', async () => {
  const services = Array.from({ length: 60 }, (_, at) => ({
    name: `${at}${'s'.repeat(5_000)}`,
    endpoint: 'https://a',
  }));
  const long = { name: '\u{1f41a}'.repeat(5_000), description: '\u{1f41a}'.repeat(50_000), services };
  const request = await (await agentOf(long)).classificationRequest('1');
  expect([...(request?.name ?? '')]).toHaveLength(200);
  expect(request?.serviceNames.length).toBeLessThanOrEqual(20);
  expect(JSON.stringify(request).length).toBeLessThan(15_000);
});
