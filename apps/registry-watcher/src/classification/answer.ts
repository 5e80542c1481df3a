import { toDomainClasses, toSkillClasses } from '@sluice/agent-registry';
import { z } from 'zod';
import { ANSWER_LIMITS } from './limits';

/** One class of the taxonomy, with how sure the model is. */
export interface RatedClass {
  readonly slug: string;
  readonly name: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface ClassificationAnswer {
  /** One to five, the surest first. */
  readonly skills: readonly RatedClass[];
  /** None to three, the surest first. */
  readonly domains: readonly RatedClass[];
  /** The mean of all confidences, with two decimals. */
  readonly confidence: number;
  /** How many slugs of the answer the taxonomy does not have. */
  readonly dropped: number;
}

const itemSchema = z.object({
  slug: z.string().max(ANSWER_LIMITS.slugLength),
  confidence: z.number().min(0).max(1),
});
const answerSchema = z.object({
  skills: z.array(itemSchema).max(ANSWER_LIMITS.items),
  domains: z.array(itemSchema).max(ANSWER_LIMITS.items).default([]),
});

type Item = z.infer<typeof itemSchema>;
type ToClasses = (declared: readonly string[]) => readonly { readonly slug: string; readonly name: string }[];

/**
 * What the model answered, in words of the taxonomy only: names come from there, never from the answer. Undefined where the text
 * holds no object of the form that was asked for, or not one known skill.
 */
export function readAnswer(text: string): ClassificationAnswer | undefined {
  const parsed = answerSchema.safeParse(parseObject(text));
  if (!parsed.success) return undefined;
  const skills = ratedClasses(parsed.data.skills, toSkillClasses);
  const domains = ratedClasses(parsed.data.domains, toDomainClasses);
  const kept = [...skills.kept.slice(0, ANSWER_LIMITS.skills), ...domains.kept.slice(0, ANSWER_LIMITS.domains)];
  if (skills.kept.length === 0) return undefined;
  return {
    skills: skills.kept.slice(0, ANSWER_LIMITS.skills),
    domains: domains.kept.slice(0, ANSWER_LIMITS.domains),
    confidence: round2(kept.reduce((sum, { confidence }) => sum + confidence, 0) / kept.length),
    dropped: skills.dropped + domains.dropped,
  };
}

/** The surest first; of two items of one class the surer one. */
function ratedClasses(items: readonly Item[], toClasses: ToClasses): { kept: RatedClass[]; dropped: number } {
  const bySlug = new Map<string, RatedClass>();
  let dropped = 0;
  for (const { slug, confidence } of items) {
    const [known] = toClasses([slug]);
    if (known === undefined) dropped++;
    else if (confidence > (bySlug.get(known.slug)?.confidence ?? -1)) {
      bySlug.set(known.slug, { slug: known.slug, name: known.name, confidence: round2(confidence) });
    }
  }
  return { kept: [...bySlug.values()].sort((a, b) => b.confidence - a.confidence), dropped };
}

/** The object of an answer that is bare, fenced, or has words around it. */
function parseObject(text: string): unknown {
  const begin = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (begin < 0 || end < begin) return undefined;
  try {
    return JSON.parse(text.slice(begin, end + 1));
  } catch {
    return undefined;
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
