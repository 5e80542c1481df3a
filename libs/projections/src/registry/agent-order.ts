import { SluiceError } from '@sluice/event-log';
import type { AgentCursor, AgentRecord, AgentSort, ListAgents } from './agents';

type Order = ListAgents['order'];

/** Longest name that is sorted and searched by, in Unicode characters. */
const MAX_NAME_KEY_LENGTH = 500;

/** What a name is sorted and searched by: without its case, and without U+0000, which databases do not take. */
export function nameKeyOf(name: string): string {
  const key = name.toLowerCase().replaceAll('\0', '');
  return key.length <= MAX_NAME_KEY_LENGTH ? key : [...key].slice(0, MAX_NAME_KEY_LENGTH).join('');
}

/** Where a page that ends with this agent is continued. */
export function agentCursorOf(agent: AgentRecord, sort: AgentSort): AgentCursor {
  const { createdPosition: position } = agent;
  switch (sort) {
    case 'registered':
      return { key: position, position };
    case 'updated':
      return { key: agent.lastPosition, position };
    case 'score':
      return { key: agent.score, position };
    case 'name':
      return { key: nameKeyOf(agent.name), position };
  }
}

/** The order of a list, for `Array.sort`. */
export function compareAgents(a: AgentRecord, b: AgentRecord, sort: AgentSort, order: Order): number {
  return compareCursors(agentCursorOf(a, sort), agentCursorOf(b, sort), order);
}

/** Whether an agent comes after the place where a page ended. */
export function isBehind(agent: AgentRecord, after: AgentCursor, sort: AgentSort, order: Order): boolean {
  return compareCursors(agentCursorOf(agent, sort), after, order) > 0;
}

function compareCursors(a: AgentCursor, b: AgentCursor, order: Order): number {
  if ((a.key === null) !== (b.key === null)) return a.key === null ? 1 : -1;
  const sign = order === 'ascending' ? 1 : -1;
  return sign * (compareKeys(a.key, b.key) || a.position - b.position);
}

function compareKeys(a: AgentCursor['key'], b: AgentCursor['key']): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return Number(a) - Number(b);
}

/** By code points, as UTF-8 is ordered; units of UTF-16 are not. */
function compareTexts(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (const [n, character] of left.entries()) {
    const difference = (character.codePointAt(0) ?? 0) - (right[n]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** @throws SluiceError `invalid_cursor` where it cannot be one of a list in this order */
export function checkAgentCursor({ key, position }: AgentCursor, sort: AgentSort): void {
  if (!Number.isSafeInteger(position) || !isKeyOf(key, sort)) {
    throw new SluiceError('invalid_cursor', `The cursor is none of agents by "${sort}"`);
  }
}

function isKeyOf(key: AgentCursor['key'], sort: AgentSort): boolean {
  switch (sort) {
    case 'registered':
    case 'updated':
      return Number.isSafeInteger(key);
    case 'score':
      return key === null || Number.isFinite(key);
    case 'name':
      return typeof key === 'string';
  }
}
