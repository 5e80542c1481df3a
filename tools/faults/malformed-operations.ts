import { requestOf, type World } from '../schema-export/access-world';
import type { Operation, OperationsDocument, Parameter } from './malformed-document';
import type { HttpAnswer, HttpInput } from './malformed-http';
import {
  brokenBodies,
  hostileFields,
  hostileHeaders,
  hostileTexts,
  strayBodies,
  type HostileBody,
  type Json,
  type NewMark,
} from './malformed-kinds';
import { brokenForms } from './malformed-forms';

/** More than any operation takes. */
const DECLARED_BYTES = 10_000_000_000;
const POURED_BYTES = 48 * 1024 * 1024;
const POURED_CHUNK = Buffer.alloc(65_536, ' ');

/** One hostile request to an operation. */
export interface OperationCall {
  readonly operation: Operation;
  readonly name: string;
  /** Stands in it, and must stand nowhere else when it is refused. */
  readonly mark: string;
  readonly input: HttpInput;
  /** By the document, or by the protocol. Others may be taken or refused. */
  readonly mustBeRefused: boolean;
  /** It need not be read to its end: the server may cut it off. */
  readonly mayBeCut: boolean;
}

export interface CallMakers {
  readonly document: OperationsDocument;
  readonly world: World;
  readonly newMark: NewMark;
  /** One that is right: JSON, or a form; undefined where the operation has none. */
  readonly bodyOf: (operation: Operation) => unknown;
  readonly credentialOf: (operation: Operation) => Readonly<Record<string, string>>;
  /** What else a request needs to come as far as its body: a signature over it. */
  readonly sign: (operation: Operation, body: string | Buffer) => Readonly<Record<string, string>>;
}

/** Bodies of other types than JSON by Sluice's own words. */
const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'c-1',
  source: '/malformed',
  type: 'execution.completed',
  subject: 'sandbox-123',
  data: { n: 1 },
};
const BASES: Readonly<Record<string, Json>> = {
  'application/cloudevents+json': CLOUD_EVENT,
  'application/cloudevents-batch+json': [CLOUD_EVENT],
};

/** Where what is right would take events away, or begin to read all of them: only what has to be refused is sent. */
const NOT_TO_BE_BEGUN = ['POST /v1/admin/rebuild', 'POST /v1/admin/erasures'];

/** How often what has to be refused is sent: in one of so many rounds. What may be taken gets further, and is sent in all. */
export const REFUSED_ROUNDS = 4;

/**
 * Each hostile kind that applies to an operation: to its path, its query, its headers, its body.
 * @param round of what has to be refused each takes another part
 */
export function callsOf(operation: Operation, makers: CallMakers, round: number): readonly OperationCall[] {
  const calls = [...parameterCalls(operation, makers), ...bodyCalls(operation, makers)];
  const isHarmful = NOT_TO_BE_BEGUN.includes(`${operation.method} ${operation.path}`);
  return calls.filter(({ mustBeRefused }, n) => (mustBeRefused ? (n + round) % REFUSED_ROUNDS === 0 : !isHarmful));
}

/** Whether it takes something away that others need: those come last. */
export function takesAway({ method, path }: Operation): boolean {
  return method === 'DELETE' || /\/(?:archive|skip|stop)$/.test(path);
}

/** Whether an answer is as it should be, and what is wrong with it. */
export function judgeAnswer(
  call: OperationCall,
  { status, type, text }: HttpAnswer,
  document: OperationsDocument,
): 'refused' | 'taken' | { readonly wrong: string } {
  const shown = `${status} ${text.slice(0, 200)}`;
  if (status === 'closed') return call.mayBeCut ? 'refused' : { wrong: 'the connection was closed' };
  if (status === 'no answer') return { wrong: 'no answer' };
  if (status >= 500) return { wrong: shown };
  if (status === 429) return { wrong: `not looked at: ${shown}` };
  if (status < 400) return call.mustBeRefused ? { wrong: `it was taken: ${shown}` } : 'taken';
  const fault = document.faultOfRefusal(call.operation, status, type, text);
  return fault === undefined ? 'refused' : { wrong: `${fault}: ${shown}` };
}

/** A request that is right, but for what is put in the place of something. */
interface Parts {
  readonly path: string;
  readonly query: readonly string[];
  readonly headers: HttpInput['headers'];
  readonly body?: string | Buffer;
}

function rightParts(operation: Operation, { world, bodyOf, credentialOf, sign }: CallMakers): Parts {
  const { path, query } = requestOf(operation, world);
  const body = bodyOf(operation);
  const isForm = body instanceof FormData;
  const upgrade = operation.responses['101'] !== undefined ? UPGRADE : {};
  const text = body === undefined || isForm ? undefined : JSON.stringify(body);
  return {
    path,
    query: query === '' ? [] : [query.slice(1)],
    headers: {
      ...credentialOf(operation),
      ...upgrade,
      ...(text !== undefined && { 'content-type': 'application/json', ...sign(operation, text) }),
    },
    ...(text !== undefined && { body: text }),
  };
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16, 7).toString('base64'),
};

function inputOf({ method }: Operation, { path, query, headers, body }: Parts): HttpInput {
  return {
    method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    headers,
    ...(body !== undefined && { body }),
  };
}

function parameterCalls(operation: Operation, makers: CallMakers): readonly OperationCall[] {
  return (operation.parameters ?? []).flatMap((parameter) => {
    if (parameter.in === 'path') return pathCalls(operation, parameter, makers);
    return parameter.in === 'query'
      ? queryCalls(operation, parameter, makers)
      : headerCalls(operation, parameter, makers);
  });
}

function pathCalls(operation: Operation, parameter: Parameter, makers: CallMakers): readonly OperationCall[] {
  const { document, newMark, world } = makers;
  const right = rightParts(operation, makers);
  const ids = world.idsOf(operation.path);
  return hostileTexts(newMark).map(({ name, mark, raw, value }) => {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, each: string) =>
      each === parameter.name ? raw : encodeURIComponent(ids[each] ?? ''),
    );
    // Without it the path is another one.
    const mustBeRefused = raw !== '' && (value === undefined || !document.allows(operation, parameter, value));
    return callOf(operation, `${parameter.name} in the path: ${name}`, mark, { ...right, path }, mustBeRefused);
  });
}

/** How some servers write lists and objects. */
const SHAPES = ['[]', '[__proto__][x]'];

function queryCalls(operation: Operation, parameter: Parameter, makers: CallMakers): readonly OperationCall[] {
  const { document, newMark } = makers;
  const right = rightParts(operation, makers);
  const others = right.query.filter((each) => !each.startsWith(`${parameter.name}=`));
  const key = encodeURIComponent(parameter.name);
  const call = (name: string, mark: string, query: readonly string[], mustBeRefused: boolean) =>
    callOf(operation, `${parameter.name} in the query: ${name}`, mark, { ...right, query }, mustBeRefused);
  const [twice, ...shaped] = [newMark(), ...SHAPES.map(newMark)];
  return [
    ...hostileTexts(newMark).map(({ name, mark, raw, value = raw }) =>
      call(name, mark, [...others, `${key}=${raw}`], !document.allows(operation, parameter, value)),
    ),
    // The document does not say whether a name may be there twice.
    call(
      'twice',
      twice,
      [...others, `${key}=${twice}`, `${key}=${twice}2`],
      !document.allows(operation, parameter, twice) && !document.allows(operation, parameter, [twice, `${twice}2`]),
    ),
    ...SHAPES.map((shape, n) =>
      call(`as ${shape}`, shaped[n] ?? '', [...right.query, `${key}${shape}=${shaped[n]}`], false),
    ),
  ];
}

function headerCalls(operation: Operation, parameter: Parameter, makers: CallMakers): readonly OperationCall[] {
  const { document, newMark } = makers;
  const right = rightParts(operation, makers);
  return hostileHeaders(newMark).map(({ name, mark, value }) => {
    const headers = { ...right.headers, [parameter.name.toLowerCase()]: value };
    // Several of one name are one list.
    const mustBeRefused = !document.allows(operation, parameter, value.join(', '));
    return callOf(operation, `header ${parameter.name}: ${name}`, mark, { ...right, headers }, mustBeRefused);
  });
}

function bodyCalls(operation: Operation, makers: CallMakers): readonly OperationCall[] {
  const { document, newMark, sign } = makers;
  const right = rightParts(operation, makers);
  const types = Object.keys(operation.requestBody?.content ?? {});
  const call = ({ name, mark, bytes, headers }: HostileBody, mustBeRefused: boolean) => {
    const signed = { ...right.headers, ...sign(operation, bytes), ...headers };
    return callOf(operation, `body: ${name}`, mark, { ...right, body: bytes, headers: signed }, mustBeRefused);
  };
  if (types.length === 0) {
    if (operation.responses['101'] !== undefined) return [];
    // Nobody asked for one: it is not looked at, or refused.
    return strayBodies(newMark).map((body) => call(body, false));
  }
  const base = makers.bodyOf(operation) as Json | FormData;
  if (base instanceof FormData) return brokenForms(newMark).map((form) => call(form, form.isNoBody === true));
  return types.flatMap((type) => {
    const value = BASES[type] ?? base;
    const fields = document.fieldsOf(operation, type);
    return [...brokenBodies(value, newMark, type), ...hostileFields(value, fields, newMark, type)].map((body) =>
      call(body, body.isNoBody === true || !document.takes(operation, type, body.bytes)),
    );
  });
}

/**
 * More than any operation takes: what says so at once, and what does not say.
 * @param poured the apps that had one without end, which is added to
 */
export function oversizeCalls(operation: Operation, makers: CallMakers, poured: Set<string>): readonly OperationCall[] {
  if (operation.requestBody === undefined) return [];
  const { newMark } = makers;
  const right = rightParts(operation, makers);
  const headers = { 'content-type': 'application/json', ...right.headers };
  const input = inputOf(operation, { ...right, headers });
  const call = (name: string, further: Partial<HttpInput>): OperationCall => ({
    operation,
    name: `body: ${name}`,
    mark: newMark(),
    input: { ...input, ...further },
    mustBeRefused: true,
    mayBeCut: true,
  });
  const declared = call('oversize, as it says', { body: '{', declaredBytes: DECLARED_BYTES });
  // A file may be larger than what is worth sending, and so is one for each operation.
  const app = operation['x-sluice-app'];
  if (poured.has(app) || makers.bodyOf(operation) instanceof FormData) return [declared];
  poured.add(app);
  return [declared, call('oversize, without end', { body: POURED_CHUNK, endlessBytes: POURED_BYTES })];
}

function callOf(operation: Operation, name: string, mark: string, parts: Parts, mustBeRefused: boolean): OperationCall {
  return { operation, name, mark, input: inputOf(operation, parts), mustBeRefused, mayBeCut: false };
}
