import { OASF_DOMAINS, OASF_SKILLS } from '@sluice/agent-registry';
import fc from 'fast-check';
import { readAnswer } from './answer';

const answer = (skills: unknown, domains?: unknown) => JSON.stringify({ skills, domains });
const rated = (slug: string, confidence = 0.5) => ({ slug, confidence });
const slugs = (classes: readonly { slug: string }[] | undefined) => classes?.map(({ slug }) => slug);

it('takes names from the taxonomy and the mean of all confidences', () => {
  const read = readAnswer(
    answer([{ ...rated('audio', 0.9), name: 'Evil' }, rated('tabular_text', 0.7)], [rated('legal', 0.4)]),
  );
  expect(read).toEqual({
    skills: [
      { slug: 'audio', name: 'Audio', confidence: 0.9 },
      { slug: 'tabular_text', name: 'Tabular / Text', confidence: 0.7 },
    ],
    domains: [{ slug: 'legal', name: 'Legal', confidence: 0.4 }],
    confidence: 0.67,
    dropped: 0,
  });
});

it('drops unknown slugs and counts them, and takes paths by their first segment', () => {
  const read = readAnswer(
    answer([rated('hacking', 1), rated('natural_language_processing/summarization', 0.8)], [rated('crime')]),
  );
  expect([slugs(read?.skills), slugs(read?.domains)]).toEqual([['natural_language_processing'], []]);
  expect(read).toMatchObject({ confidence: 0.8, dropped: 2 });
});

it('keeps the surest five skills and three domains, each once', () => {
  const many = [...OASF_SKILLS.map(({ slug }, index) => rated(slug, index / 20)), rated('audio', 1)];
  const read = readAnswer(
    answer(
      many,
      OASF_DOMAINS.slice(0, 10).map(({ slug }, index) => rated(slug, index / 20)),
    ),
  );
  expect(slugs(read?.skills)).toEqual([
    'audio',
    'advanced_reasoning_planning',
    'tool_interaction',
    'governance_compliance',
    'devops_mlops',
  ]);
  expect(read?.domains.map(({ confidence }) => confidence)).toEqual([0.45, 0.4, 0.35]);
});

it.each<[string, string]>([
  ['bare', answer([rated('audio')])],
  ['fenced', `\`\`\`json\n${answer([rated('audio')])}\n\`\`\``],
  ['with words around it', `Certainly! ${answer([rated('audio')], [])} I hope that helps.`],
])('reads an object that is %s', (_, text) => {
  expect(slugs(readAnswer(text)?.skills)).toEqual(['audio']);
});

it.each<[string, string]>([
  ['nothing', ''],
  ['words', 'I cannot do that.'],
  ['half an object', '{"skills":['],
  ['two objects', `${answer([rated('audio')])} ${answer([rated('audio')])}`],
  ['no skills', answer([])],
  ['unknown skills only', answer([rated('x')], [rated('legal')])],
  ['skills as text', answer('audio')],
  ['slugs without confidence', answer(['audio'])],
  ['a confidence as text', answer([{ slug: 'audio', confidence: '0.9' }])],
  ['a confidence above 1', answer([rated('audio', 90)])],
  ['a negative confidence', answer([rated('audio', -0.1)])],
  ['too many items', answer(Array.from({ length: 51 }, () => rated('audio')))],
  ['too long a slug', answer([rated('a'.repeat(201)), rated('audio')])],
])('does not take %s', (_, text) => {
  expect(readAnswer(text)).toBeUndefined();
});

it('never gives anything outside the taxonomy, whatever the model was talked into', () => {
  const item = fc.record({
    slug: fc.oneof(fc.constantFrom('audio', 'legal', 'tabular_text/x', '__proto__', 'constructor'), fc.string()),
    confidence: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double()),
    name: fc.string(),
  });
  const value = fc.oneof(fc.record({ skills: fc.array(item), domains: fc.array(item) }), fc.jsonValue());
  fc.assert(
    fc.property(value, (said) => {
      const read = readAnswer(JSON.stringify(said));
      if (read === undefined) return;
      expect(read.skills.length).toBeGreaterThanOrEqual(1);
      expect(read.skills.length).toBeLessThanOrEqual(5);
      expect(read.domains.length).toBeLessThanOrEqual(3);
      for (const { slug, name } of read.skills) expect(OASF_SKILLS).toContainEqual({ slug, name });
      for (const { slug, name } of read.domains) expect(OASF_DOMAINS).toContainEqual({ slug, name });
      for (const { confidence } of [...read.skills, ...read.domains, read]) {
        expect(
          confidence >= 0 && confidence <= 1 && Math.abs(confidence * 100 - Math.round(confidence * 100)) < 1e-9,
        ).toBe(true);
      }
    }),
  );
});
