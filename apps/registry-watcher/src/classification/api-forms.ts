import { z } from 'zod';
import type { ClassifierApi, ClassifierConfig } from './classifier-config';
import { CLASSIFIER_LIMITS } from './limits';
import type { ClassificationPrompt } from './prompt';

/** What the model said, as far as it said anything. */
export type ModelAnswer =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'refused' } | { readonly kind: 'invalid' };

/** How one form of API is spoken. */
export interface ApiForm {
  readonly headers: (key: string | undefined) => Record<string, string>;
  /**
   * Bodies for the same question, the best first: endpoints that are only alike do not take every parameter, and which they take
   * shows when they answer 400.
   */
  readonly bodies: readonly ((prompt: ClassificationPrompt, model: string) => object)[];
  /** Never throws. */
  readonly read: (answer: unknown) => ModelAnswer;
}

const messagesAnswerSchema = z.object({
  stop_reason: z.string().nullish(),
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
});

const chatAnswerSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish(),
          refusal: z.string().nullish(),
        }),
      }),
    )
    .min(1),
});

const MESSAGES: ApiForm = {
  headers: (key) => ({ 'anthropic-version': '2023-06-01', ...(key !== undefined && { 'x-api-key': key }) }),
  bodies: [
    ({ system, user }, model) => ({
      model,
      max_tokens: CLASSIFIER_LIMITS.maxTokens,
      system,
      messages: [{ role: 'user', content: user }],
    }),
  ],
  read(answer) {
    const parsed = messagesAnswerSchema.safeParse(answer);
    if (!parsed.success) return { kind: 'invalid' };
    const { stop_reason: stopReason, content } = parsed.data;
    if (stopReason === 'refusal') return { kind: 'refused' };
    return { kind: 'text', text: textOf(content.filter(({ type }) => type === 'text')) };
  },
};

const chatMessages = ({ system, user }: ClassificationPrompt) => [
  { role: 'system', content: system },
  { role: 'user', content: user },
];
const JSON_OBJECT = { response_format: { type: 'json_object' } };

const CHAT_COMPLETIONS: ApiForm = {
  headers: (key): Record<string, string> => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  bodies: [
    (prompt, model) => ({
      model,
      max_tokens: CLASSIFIER_LIMITS.maxTokens,
      messages: chatMessages(prompt),
      ...JSON_OBJECT,
    }),
    (prompt, model) => ({
      model,
      max_completion_tokens: CLASSIFIER_LIMITS.maxTokens,
      messages: chatMessages(prompt),
      ...JSON_OBJECT,
    }),
    (prompt, model) => ({ model, max_tokens: CLASSIFIER_LIMITS.maxTokens, messages: chatMessages(prompt) }),
  ],
  read(answer) {
    const parsed = chatAnswerSchema.safeParse(answer);
    const choice = parsed.data?.choices[0];
    if (choice === undefined) return { kind: 'invalid' };
    const { content, refusal } = choice.message;
    if (choice.finish_reason === 'content_filter' || (refusal ?? '') !== '') return { kind: 'refused' };
    return { kind: 'text', text: typeof content === 'string' ? content : textOf(content ?? []) };
  },
};

/** Every form that {@link ClassifierApi} names. */
export const API_FORMS: Readonly<Record<ClassifierApi, ApiForm>> = {
  messages: MESSAGES,
  'chat-completions': CHAT_COMPLETIONS,
};

/** The headers of every request, whatever its form. */
export function requestHeaders(form: ApiForm, { key }: Pick<ClassifierConfig, 'key'>): Record<string, string> {
  return { 'content-type': 'application/json', accept: 'application/json', ...form.headers(key) };
}

function textOf(parts: readonly { readonly text?: string | undefined }[]): string {
  return parts.map(({ text }) => text ?? '').join('');
}
