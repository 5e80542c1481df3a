import { printable, printableJson, type Paint } from './printable';

/** One event for people: when, what about, what, and its data. Text that is no recorded event is shown as it is. */
export function eventLine(json: string, paint: Paint): string {
  const event = parse(json);
  const { occurredAt, family, entityId, type, data } = event;
  if (typeof occurredAt !== 'number' || typeof type !== 'string') return printable(json);
  const about = `${String(family)}/${String(entityId)}`;
  return [
    paint('dim', timeOf(occurredAt)),
    paint('cyan', printable(about)),
    paint(/\.(?:failed|error|timeout)$/.test(type) ? 'red' : 'green', printable(type)),
    printableJson(JSON.stringify(data) ?? ''),
  ].join('  ');
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function timeOf(occurredAtMs: number): string {
  const date = new Date(occurredAtMs);
  return Number.isNaN(date.getTime()) ? String(occurredAtMs) : date.toISOString();
}
