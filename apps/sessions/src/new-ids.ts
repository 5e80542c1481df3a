import { randomBytes } from 'node:crypto';
import { newEventId } from '@sluice/event-schema';

/** What has an id of ours. */
export type IdPrefix =
  'sesn' | 'sevt' | 'srun' | 'sthr' | 'outc' | 'file' | 'agent' | 'env' | 'vlt' | 'vcrd' | 'sesrsc' | 'eng';

/** A fresh id; later ones sort after earlier ones. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${newEventId().replaceAll('-', '')}`;
}

/** A fresh secret in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
