import type { Decision, SessionRefusal } from '../decision';

/** The decision that nothing happens. */
export function refused(refusal: SessionRefusal): Decision {
  return { kind: 'refused', refusal };
}

/** It can never be right. */
export function invalid(message: string, where?: string): SessionRefusal {
  return { code: 'invalid_request', message, ...(where === undefined ? {} : { where }) };
}

/** It is not right in this state. */
export function conflict(message: string): SessionRefusal {
  return { code: 'conflict', message };
}

/** What it names is not there. */
export function notFound(message: string): SessionRefusal {
  return { code: 'not_found', message };
}
