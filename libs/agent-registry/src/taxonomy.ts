/** A skill or a domain of the taxonomy. */
export type AgentClass = { readonly slug: string; readonly name: string };

/** The skills of OASF 1.0.0. */
export const OASF_SKILLS: readonly AgentClass[] = [
  { slug: 'natural_language_processing', name: 'Natural Language Processing' },
  { slug: 'images_computer_vision', name: 'Images / Computer Vision' },
  { slug: 'audio', name: 'Audio' },
  { slug: 'tabular_text', name: 'Tabular / Text' },
  { slug: 'analytical_skills', name: 'Analytical Skills' },
  { slug: 'retrieval_augmented_generation', name: 'Retrieval Augmented Generation' },
  { slug: 'multi_modal', name: 'Multi-modal' },
  { slug: 'security_privacy', name: 'Security & Privacy' },
  { slug: 'data_engineering', name: 'Data Engineering' },
  { slug: 'agent_orchestration', name: 'Agent Orchestration' },
  { slug: 'evaluation_monitoring', name: 'Evaluation & Monitoring' },
  { slug: 'devops_mlops', name: 'DevOps / MLOps' },
  { slug: 'governance_compliance', name: 'Governance & Compliance' },
  { slug: 'tool_interaction', name: 'Tool Interaction' },
  { slug: 'advanced_reasoning_planning', name: 'Advanced Reasoning & Planning' },
];

/** The domains of OASF 1.0.0. */
export const OASF_DOMAINS: readonly AgentClass[] = [
  { slug: 'technology', name: 'Technology' },
  { slug: 'finance_and_business', name: 'Finance and Business' },
  { slug: 'life_science', name: 'Life Science' },
  { slug: 'trust_and_safety', name: 'Trust and Safety' },
  { slug: 'human_resources', name: 'Human Resources' },
  { slug: 'education', name: 'Education' },
  { slug: 'industrial_manufacturing', name: 'Industrial Manufacturing' },
  { slug: 'transportation', name: 'Transportation' },
  { slug: 'healthcare', name: 'Healthcare' },
  { slug: 'legal', name: 'Legal' },
  { slug: 'agriculture', name: 'Agriculture' },
  { slug: 'energy', name: 'Energy' },
  { slug: 'media_and_entertainment', name: 'Media and Entertainment' },
  { slug: 'real_estate', name: 'Real Estate' },
  { slug: 'hospitality_and_tourism', name: 'Hospitality and Tourism' },
  { slug: 'telecommunications', name: 'Telecommunications' },
  { slug: 'environmental_science', name: 'Environmental Science' },
  { slug: 'government_and_public_sector', name: 'Government and Public Sector' },
  { slug: 'research_and_development', name: 'Research and Development' },
  { slug: 'retail_and_ecommerce', name: 'Retail and E-commerce' },
  { slug: 'social_services', name: 'Social Services' },
  { slug: 'sports_and_fitness', name: 'Sports and Fitness' },
  { slug: 'insurance', name: 'Insurance' },
  { slug: 'marketing_and_advertising', name: 'Marketing and Advertising' },
];

/** Slugs of an older taxonomy, with their skill of today. */
const OLD_SKILLS: ReadonlyMap<string, string> = new Map([['code_generation', 'tool_interaction']]);

const SKILLS = new Map(OASF_SKILLS.map((skill) => [skill.slug, skill]));
const DOMAINS = new Map(OASF_DOMAINS.map((domain) => [domain.slug, domain]));

/** The skills among declared slugs or paths, each once, in their order. The first segment of a path counts. */
export function toSkillClasses(declared: readonly string[]): readonly AgentClass[] {
  return toClasses(declared, SKILLS, OLD_SKILLS);
}

/** The domains among declared slugs or paths, each once, in their order. The first segment of a path counts. */
export function toDomainClasses(declared: readonly string[]): readonly AgentClass[] {
  return toClasses(declared, DOMAINS, new Map());
}

function toClasses(
  declared: readonly string[],
  known: ReadonlyMap<string, AgentClass>,
  old: ReadonlyMap<string, string>,
): readonly AgentClass[] {
  const found = new Set<AgentClass>();
  for (const path of declared) {
    const slug = (path.trim().replace(/^\/+/, '').split('/', 1)[0] ?? '').toLowerCase();
    const known1 = known.get(old.get(slug) ?? slug);
    if (known1 !== undefined) found.add(known1);
  }
  return [...found];
}
