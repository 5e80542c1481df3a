import { SluiceError } from '@sluice/event-log';
import type { z } from 'zod';
import { boundedText } from './messages';

/** The JSON value of a message. @throws SluiceError `invalid_json` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SluiceError('invalid_json', 'The message is not valid JSON');
  }
}

/** A message as its schema says. @throws SluiceError `invalid_request` that names the first place at fault */
export function parseMessage<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : (issue?.path ?? []);
  const where = path.map(String).join('.');
  throw new SluiceError('invalid_request', boundedText(issue?.message ?? 'Invalid message'), {
    ...(where !== '' && { where: boundedText(where) }),
  });
}
