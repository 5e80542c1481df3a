import {
  encodeEnvelope,
  eventCatalogue,
  type EncodedEnvelope,
  type EventCatalogue,
  type EventEnvelope,
} from '@sluice/event-schema';
import { SluiceError } from './errors';
import { MAX_ERASED_FIELDS } from './ports/erasures';

/** Members of arrays and objects, from the data of an event to one value. */
export type FieldPath = readonly string[];

/** Longest pointer. */
const MAX_POINTER_LENGTH = 1_024;
const ARRAY_INDEX = /^(0|[1-9]\d*)$/;

/**
 * The members that JSON pointers (RFC 6901) name.
 * @throws SluiceError `invalid_request`
 */
export function parseFieldPointers(pointers: readonly string[]): readonly FieldPath[] {
  if (pointers.length > MAX_ERASED_FIELDS) {
    throw new SluiceError('invalid_request', `At most ${MAX_ERASED_FIELDS} fields are allowed`, { where: 'fields' });
  }
  return pointers.map((pointer, n) => {
    if (!/^(\/([^~/]|~[01])+)+$/.test(pointer) || pointer.length > MAX_POINTER_LENGTH) {
      const message = 'must be a JSON pointer into the data of events, for example /message/content';
      throw new SluiceError('invalid_request', `fields[${n}]: ${message}`, { where: `fields[${n}]` });
    }
    return pointer
      .slice(1)
      .split('/')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  });
}

export interface RedactOptions {
  /** Whether an event with changed data, at its own version, is still one; by default what the catalogue says. */
  readonly accepts?: (event: EventEnvelope) => boolean;
}

export type Redaction =
  /** `erased` has the places, among the paths, of those that named something. */
  | { readonly kind: 'redacted'; readonly envelope: EncodedEnvelope; readonly erased: ReadonlySet<number> }
  /** It has none of the fields. */
  | { readonly kind: 'unchanged' }
  /** It would be no event of its type any more: neither without that field nor with an empty value in its place. */
  | { readonly kind: 'impossible'; readonly path: number };

/**
 * The event without the values of some fields. A member of an object is taken away; where its type's schema asks for it, and
 * in an array, it becomes the empty value of its JSON type. The same event always becomes the same text.
 */
export function redactEnvelope(
  envelope: EncodedEnvelope,
  paths: readonly FieldPath[],
  { accepts = isAccepted }: RedactOptions = {},
): Redaction {
  let { event } = envelope;
  const erased = new Set<number>();
  for (const [n, path] of paths.entries()) {
    if (valueAt(event.data, path) === undefined) continue;
    const attempts = [withoutValue(event.data, path), withEmptyValue(event.data, path)];
    const data = attempts.find((attempt) => attempt !== undefined && accepts({ ...event, data: attempt }));
    if (data === undefined) return { kind: 'impossible', path: n };
    erased.add(n);
    event = { ...event, data };
  }
  return erased.size === 0 ? { kind: 'unchanged' } : { kind: 'redacted', envelope: encodeEnvelope(event), erased };
}

/** Whether the data is what its type has, at its own version and at the current one. */
export function isAccepted(event: EventEnvelope, catalogue: EventCatalogue = eventCatalogue): boolean {
  const { family, type, schemaVersion, data } = event;
  const own = catalogue.find(family, type)?.upcasters[schemaVersion - 1]?.data;
  if (own && !own.safeParse(data).success) return false;
  try {
    const current = catalogue.upcast(event);
    return catalogue.dataSchema(family, type).safeParse(current.data).success;
  } catch {
    return false;
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function memberOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return ARRAY_INDEX.test(name) ? (value[Number(name)] as unknown) : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as JsonObject)[name];
}

const valueAt = (data: JsonObject, path: FieldPath): unknown => path.reduce<unknown>(memberOf, data);

/** Undefined where it stands in an array: the places of the others would change. */
function withoutValue(data: JsonObject, path: FieldPath): EventEnvelope['data'] | undefined {
  const name = path.at(-1) ?? '';
  const parentPath = path.slice(0, -1);
  const parent = valueAt(data, parentPath);
  if (parent === undefined || Array.isArray(parent)) return undefined;
  const { [name]: _erased, ...rest } = parent as JsonObject;
  return replaced(data, parentPath, rest) as EventEnvelope['data'];
}

function withEmptyValue(data: JsonObject, path: FieldPath): EventEnvelope['data'] {
  return replaced(data, path, emptyOf(valueAt(data, path))) as EventEnvelope['data'];
}

function emptyOf(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return '';
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return Array.isArray(value) ? [] : value === null ? null : {};
  }
}

/** A copy with another value at the path, which is there. */
function replaced(value: unknown, [name, ...rest]: FieldPath, by: unknown): unknown {
  if (name === undefined) return by;
  const member = replaced(memberOf(value, name), rest, by);
  if (Array.isArray(value)) return value.with(Number(name), member);
  return { ...(value as JsonObject), [name]: member };
}

/** What is erased of an entity. */
export interface ErasedPart {
  /** Events up to here. */
  readonly upTo: number;
  /** None: all of each event. */
  readonly paths: readonly FieldPath[];
}

/**
 * What is kept of an event at a position: itself, itself without some fields, or nothing. An event that cannot be without one of
 * the fields goes as a whole; those that were there when the erasure was asked for were looked at before.
 */
export function keptOf(
  envelope: EncodedEnvelope,
  position: number,
  { upTo, paths }: ErasedPart,
  options: RedactOptions = {},
): EncodedEnvelope | undefined {
  if (position > upTo) return envelope;
  if (paths.length === 0) return undefined;
  const redaction = redactEnvelope(envelope, paths, options);
  if (redaction.kind === 'impossible') return undefined;
  return redaction.kind === 'redacted' ? redaction.envelope : envelope;
}

/** Looks through the events of an entity before fields of them are erased. */
export class FieldErasureCheck {
  private readonly paths: readonly FieldPath[];
  private readonly found = new Set<number>();

  /** @throws SluiceError `invalid_request` */
  constructor(
    private readonly pointers: readonly string[],
    private readonly options: RedactOptions = {},
  ) {
    this.paths = parseFieldPointers(pointers);
  }

  /** @throws SluiceError `invalid_request` for an event that cannot be without one of the fields */
  look(envelope: EncodedEnvelope): void {
    const redaction = redactEnvelope(envelope, this.paths, this.options);
    if (redaction.kind === 'impossible') {
      const { id, type } = envelope.event;
      const message = `${this.pointers[redaction.path]} cannot be erased: ${type} needs it (event ${id})`;
      throw new SluiceError('invalid_request', message, { where: `fields[${redaction.path}]` });
    }
    if (redaction.kind === 'redacted') for (const n of redaction.erased) this.found.add(n);
  }

  /**
   * @param abandoned fields that erasures which were abandoned may have taken out of the events already
   * @throws SluiceError `invalid_request` for another field that no event has
   */
  end(abandoned: readonly string[]): void {
    const missing = this.pointers.findIndex((pointer, n) => !this.found.has(n) && !abandoned.includes(pointer));
    if (missing === -1) return;
    const message = `No event of the entity has ${this.pointers[missing]}`;
    throw new SluiceError('invalid_request', message, { where: `fields[${missing}]` });
  }
}
