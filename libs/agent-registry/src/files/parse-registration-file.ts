import {
  MAX_AGENT_DESCRIPTION_LENGTH,
  MAX_DECLARED_CLASSES,
  MAX_REGISTRATION_SERVICES,
  MAX_REGISTRY_LABEL_LENGTH,
  MAX_REGISTRY_TEXT_LENGTH,
  MAX_SERVICE_NAME_LENGTH,
} from '@sluice/event-schema';
import { cleanText } from '../clean-text';
import { fitRegistrationFile } from './fit-registration-file';
import type { AgentService, FileError, FileErrorCode, RegistrationFile } from './registration-file';
import {
  MAX_DECLARED_LENGTH,
  MAX_REGISTRATION_FILE_BYTES,
  MAX_REGISTRATION_FILE_DEPTH,
} from './registration-file-limits';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that make a file useless when they are there and are something else. */
const STRING_FIELDS = ['name', 'description'];
const LIST_FIELDS = ['services', 'endpoints'];

/**
 * Reads a registration file as leniently as they are written: fields of earlier versions count, and what is of the wrong
 * type is left out, except for the name, the description and the list of services. Never throws; costs time and memory in
 * proportion to the bytes, of which at most `MAX_REGISTRATION_FILE_BYTES` are looked at.
 */
export function parseRegistrationFile(
  bytes: Uint8Array,
): { readonly file: RegistrationFile } | { readonly error: FileError } {
  if (bytes.length > MAX_REGISTRATION_FILE_BYTES)
    return fault('too_large', `The file has more than ${MAX_REGISTRATION_FILE_BYTES} bytes`);
  if (isDeeperThan(bytes, MAX_REGISTRATION_FILE_DEPTH))
    return fault('too_deep', `The file has more than ${MAX_REGISTRATION_FILE_DEPTH} levels`);
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return fault('not_json', 'The file is not JSON');
  }
  if (!isObject(root)) return fault('not_an_object', 'The file is no JSON object');
  const wrong = [
    ...STRING_FIELDS.filter((field) => isThere(root, field) && typeof root[field] !== 'string'),
    ...LIST_FIELDS.filter((field) => isThere(root, field) && !Array.isArray(root[field])),
  ];
  if (wrong.length > 0) return fault('invalid_file', `Of the wrong type: ${wrong.join(', ')}`);
  return { file: fitRegistrationFile(fileOf(root)) };
}

function fault(code: FileErrorCode, message: string): { readonly error: FileError } {
  return { error: { code, message } };
}

/** Counts brackets outside of strings, so that what is nested without end is never built. */
function isDeeperThan(bytes: Uint8Array, levels: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) isInString = false;
    } else if (byte === 0x22) isInString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > levels) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

function fileOf(root: Fields): RegistrationFile {
  const services: AgentService[] = [];
  const endpoints = new Map<string, string>();
  const declaredSkills = new Set<string>();
  const declaredDomains = new Set<string>();
  for (const entry of servicesOf(root)) {
    const service = serviceOf(entry);
    if (service === undefined) continue;
    if (services.length < MAX_REGISTRATION_SERVICES) services.push(service);
    const kind = service.name.toLowerCase();
    const endpoint = (textOf(entry, 'endpoint') ?? textOf(entry, 'value') ?? '').trim();
    // One that had to be cut, or cleaned, is an address of nothing.
    if (endpoint !== '' && endpoint === service.endpoint && !endpoints.has(kind)) endpoints.set(kind, endpoint);
    if (kind !== 'oasf') continue;
    addDeclared(declaredSkills, entry, 'skills');
    addDeclared(declaredDomains, entry, 'domains');
  }
  const trust = new Set<string>();
  addLabels(
    trust,
    isThere(root, 'supportedTrust') ? root['supportedTrust'] : root['supportedTrusts'],
    MAX_REGISTRATION_SERVICES,
  );
  const description = textOf(root, 'description');
  const image = textOf(root, 'image')?.trim();
  const cleanImage = image === undefined ? undefined : cleanText(image, MAX_REGISTRY_TEXT_LENGTH);
  const active = root['active'];
  const x402Support = x402Of(root['x402Support']) ?? x402Of(root['x402support']);
  const mcpEndpoint = endpoints.get('mcp');
  const a2aEndpoint = endpoints.get('a2a');
  const updatedAt = root['updatedAt'];
  return {
    name: cleanText((textOf(root, 'name') ?? '').trim(), MAX_REGISTRY_LABEL_LENGTH),
    ...(description !== undefined && { description: cleanText(description, MAX_AGENT_DESCRIPTION_LENGTH) }),
    ...(cleanImage !== undefined && cleanImage !== '' && cleanImage === image && { image }),
    ...(typeof active === 'boolean' && { active }),
    ...(x402Support !== undefined && { x402Support }),
    services,
    ...(mcpEndpoint !== undefined && { mcpEndpoint }),
    ...(a2aEndpoint !== undefined && { a2aEndpoint }),
    supportedTrust: [...trust],
    declaredSkills: [...declaredSkills],
    declaredDomains: [...declaredDomains],
    ...(Number.isSafeInteger(updatedAt) && { updatedAt: updatedAt as number }),
  };
}

/** The list of today's files, or that of earlier ones where it is missing or empty. */
function servicesOf(root: Fields): readonly Fields[] {
  for (const field of LIST_FIELDS) {
    const list = root[field];
    if (Array.isArray(list) && list.length > 0) return (list as readonly unknown[]).filter(isObject);
  }
  return [];
}

/** `{name, endpoint}`, or `{type, value}` as they were once written. */
function serviceOf(entry: Fields): AgentService | undefined {
  const name = textOf(entry, 'name') ?? textOf(entry, 'type');
  if (name === undefined) return undefined;
  const version = textOf(entry, 'version');
  const endpoint = textOf(entry, 'endpoint') ?? textOf(entry, 'value') ?? '';
  return {
    name: cleanText(name.trim(), MAX_SERVICE_NAME_LENGTH),
    endpoint: cleanText(endpoint.trim(), MAX_REGISTRY_TEXT_LENGTH),
    ...(version !== undefined && { version: cleanText(version, MAX_SERVICE_NAME_LENGTH) }),
  };
}

/** Classes stand in the service itself, or in its `meta` as they were once written. */
function addDeclared(found: Set<string>, service: Fields, field: 'skills' | 'domains'): void {
  const meta = service['meta'];
  const list = service[field] ?? (isObject(meta) ? meta[field] : undefined);
  addLabels(found, list, MAX_DECLARED_CLASSES);
}

function addLabels(found: Set<string>, list: unknown, max: number): void {
  if (!Array.isArray(list)) return;
  for (const item of list as readonly unknown[]) {
    if (found.size >= max) return;
    const text = typeof item === 'string' ? item : isObject(item) ? textOf(item, 'slug') : undefined;
    const label = text === undefined ? '' : cleanText(text.trim(), MAX_DECLARED_LENGTH);
    if (label !== '') found.add(label);
  }
}

function x402Of(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const enabled = isObject(value) ? value['enabled'] : undefined;
  return typeof enabled === 'boolean' ? enabled : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isThere(fields: Fields, field: string): boolean {
  return Object.hasOwn(fields, field) && fields[field] !== null;
}

function textOf(fields: Fields, field: string): string | undefined {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}
