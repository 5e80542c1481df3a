import { printable } from '../printable';
import { tableLines, type Column } from './table';

/** What the server says of a chain. It may be of another version: each member is looked at before it is used. */
export type ChainState = Readonly<Record<string, unknown>>;

const COLUMNS: readonly Column[] = [
  { title: 'CHAIN' },
  { title: 'ID', isNumber: true },
  { title: 'STATE' },
  { title: 'PHASE' },
  { title: 'BLOCK', isNumber: true },
  { title: 'HEAD', isNumber: true },
  { title: 'LAG', isNumber: true },
  { title: 'DONE', isNumber: true },
  { title: 'EVENTS/S', isNumber: true },
  { title: 'LEFT', isNumber: true },
  { title: 'HOLDER' },
];

const NOTHING = '-';

/** The chains as a table, and below it what keeps any of them from going on. */
export function chainLines(chains: readonly ChainState[]): readonly string[] {
  return [...tableLines(COLUMNS, chains.map(rowOf)), ...chains.flatMap(notesOf)];
}

function rowOf(chain: ChainState): readonly string[] {
  return [
    textOf(chain['name']),
    numberOf(chain['chainId']),
    textOf(chain['state']),
    textOf(chain['phase']),
    numberOf(memberOf(chain['block'], 'number')),
    numberOf(chain['head']),
    numberOf(chain['lagBlocks']),
    percentOf(chain['progress']),
    rateOf(chain['eventsPerSecond']),
    durationOf(chain['secondsLeft']),
    textOf(chain['holder']),
  ];
}

function notesOf(chain: ChainState): readonly string[] {
  const name = `${textOf(chain['name'])} (${numberOf(chain['chainId'])})`;
  const halt = memberOf(chain['halted'], 'message');
  // What exactly it is, operators see.
  const fault = memberOf(chain['fault'], 'message') ?? memberOf(chain['fault'], 'code');
  return [
    ...(typeof halt === 'string' ? [`${name} is halted: ${printable(halt)}`] : []),
    ...(chain['acceptsDeepReorg'] === true
      ? [`${name}: an operator agreed that it is undone beyond its finality`]
      : []),
    ...(typeof fault === 'string' ? [`${name} is tried again: ${printable(fault)}`] : []),
  ];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value !== '' ? printable(value) : NOTHING;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function numberOf(value: unknown): string {
  return isNumber(value) ? String(value) : NOTHING;
}

function rateOf(value: unknown): string {
  if (!isNumber(value)) return NOTHING;
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

/** Rounded down: 100 % means that nothing is left. */
function percentOf(value: unknown): string {
  return isNumber(value) ? `${(Math.floor(Math.min(1, Math.max(0, value)) * 1_000) / 10).toFixed(1)}%` : NOTHING;
}

const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;

/** The two largest units of a duration: `2d 5h`, `3m 20s`. */
export function durationOf(value: unknown): string {
  if (!isNumber(value)) return NOTHING;
  const seconds = Math.max(0, Math.round(value));
  const [days, hours] = [Math.floor(seconds / SECONDS_PER_DAY), Math.floor(seconds / SECONDS_PER_HOUR)];
  const minutes = Math.floor(seconds / SECONDS_PER_MINUTE);
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
