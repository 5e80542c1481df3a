import { SluiceError } from '@sluice/event-log';
import { REGISTRY_CATEGORIES, REGISTRY_EVENT_TYPES } from '@sluice/event-schema';
import { shownName } from '@sluice/service-runtime';
import { AGENT_ID, clampedHeartbeat, HEARTBEAT_SECONDS, items } from './registry-values';

/** Frames that are always sent may be named among the types. */
const KNOWN_TYPES: ReadonlySet<string> = new Set([...REGISTRY_EVENT_TYPES, 'connected', 'heartbeat']);

const CHAIN_ID = /^[1-9]\d{0,14}$/;

interface Rule {
  readonly expected: string;
  isMet(value: string): boolean;
}

const FLAG: Rule = { expected: 'true or false', isMet: (value) => value === 'true' || value === 'false' };

const isNotEmpty = (value: string): boolean => value !== '';

/** What each parameter has to be. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ['agentIds', listOf('agent ids (chain:token)', (item) => AGENT_ID.test(item))],
  ['chainIds', listOf('chain ids (whole numbers)', (item) => CHAIN_ID.test(item))],
  ['eventTypes', listOf(`some of ${[...KNOWN_TYPES].join(' ')}`, (item) => KNOWN_TYPES.has(item))],
  ...Object.keys(REGISTRY_CATEGORIES).map((category): [string, Rule] => [category, FLAG]),
  [
    'heartbeat',
    {
      expected: `a whole number of seconds from ${HEARTBEAT_SECONDS.min} to ${HEARTBEAT_SECONDS.max}`,
      isMet: (value) => /^\d{1,2}$/.test(value) && clampedHeartbeat(value) === Number(value),
    },
  ],
  // Whether these are good is judged where they are used.
  ['lastEventId', { expected: 'a cursor', isMet: isNotEmpty }],
  ['token', { expected: 'a stream token', isMet: isNotEmpty }],
  ['strict', FLAG],
]);

/**
 * For `strict=true`: nothing in the query is let by that would be ignored or understood otherwise than it was meant.
 * @throws SluiceError `invalid_request` that names the parameter
 */
export function checkStrictly(query: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(query)) {
    const rule = RULES.get(name);
    if (!rule) throw parameterFault(shownName(name), 'unknown parameter');
    if (typeof value !== 'string') throw parameterFault(name, 'given more than once');
    if (!rule.isMet(value)) throw parameterFault(name, `expected ${rule.expected}`);
  }
}

/** The error of a parameter. */
export function parameterFault(name: string, message: string): SluiceError {
  return new SluiceError('invalid_request', `Invalid ${name}: ${message}`, { where: `query.${name}` });
}

function listOf(what: string, isItem: (item: string) => boolean): Rule {
  return { expected: `${what}, separated by commas`, isMet: (value) => items(value).every(isItem) };
}
