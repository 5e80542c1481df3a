import { OASF_DOMAINS, OASF_SKILLS, toDomainClasses, toSkillClasses } from './taxonomy';

describe('the taxonomy', () => {
  it('has 15 skills and 24 domains, each with its slug', () => {
    for (const [classes, count] of [
      [OASF_SKILLS, 15],
      [OASF_DOMAINS, 24],
    ] as const) {
      expect(new Set(classes.map(({ slug }) => slug)).size).toBe(count);
      for (const { slug, name } of classes)
        expect([slug, name.length > 0]).toEqual([slug.replace(/[^a-z_]/g, ''), true]);
    }
  });

  it('takes slugs and paths, by their first segment, each once and in order', () => {
    const declared = [
      'audio/speech',
      'natural_language_processing/summarization',
      'AUDIO',
      ' /tabular_text ',
      'unknown',
      '',
    ];
    expect(toSkillClasses(declared)).toEqual([
      { slug: 'audio', name: 'Audio' },
      { slug: 'natural_language_processing', name: 'Natural Language Processing' },
      { slug: 'tabular_text', name: 'Tabular / Text' },
    ]);
    expect(toDomainClasses(['legal/contracts', 'audio'])).toEqual([{ slug: 'legal', name: 'Legal' }]);
  });

  it('knows a skill of the older taxonomy', () => {
    expect(toSkillClasses(['code_generation'])).toEqual([{ slug: 'tool_interaction', name: 'Tool Interaction' }]);
  });
});
