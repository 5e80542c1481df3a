/** What stands in a log where a secret was. */
export const REDACTED = '[redacted]';

const MAX_DEPTH = 5;
const MAX_ENTRIES = 100;
const MAX_STRING_LENGTH = 8_192;

const SECRET_NAME =
  /(?:authorization|cookie|cookies|apikey|apikeys|token|tokens|secret|secrets|password|passwords|passphrase|privatekey|credential|credentials|jwt|bearer)$/;
const SCHEME_CREDENTIALS = /\b(bearer|basic)\s+[\w\-.~+/=]+/gi;
const QUERY_CREDENTIALS = /([?&](?:access_?token|token|api_?key|key|secret|password)=)[^&\s"]+/gi;
const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** Whether a field of this name holds a secret: `authorization`, `x-api-key`, `accessToken` and the like. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replaceAll(/[^a-z]/g, ''));
}

/** The text without credentials that can be told by their form, cut at 8192 characters. */
export function redactText(text: string): string {
  const cut = text.length > MAX_STRING_LENGTH ? `${text.slice(0, MAX_STRING_LENGTH)}…` : text;
  return cut
    .replaceAll(SCHEME_CREDENTIALS, `$1 ${REDACTED}`)
    .replaceAll(/\S+/g, redactUrlCredentials)
    .replaceAll(QUERY_CREDENTIALS, `$1${REDACTED}`)
    .replaceAll(JSON_WEB_TOKEN, REDACTED);
}

/** Up to the last `@`: a password that is not encoded may have `@` and `/` of its own. */
function redactUrlCredentials(run: string): string {
  const start = run.indexOf('://') + 3;
  const end = run.lastIndexOf('@');
  return start < 4 || end <= start || run[start] === '/' ? run : `${run.slice(0, start)}${REDACTED}${run.slice(end)}`;
}

/** A copy that is safe to log: secrets replaced, errors as plain objects, depth, width and length bounded. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(value: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  let entries = 0;
  for (const [name, field] of Object.entries(value)) {
    if (entries++ === MAX_ENTRIES) {
      clean['…'] = 'more left out';
      break;
    }
    clean[name] = hidesValue(name, field) ? REDACTED : redactValue(field, depth + 1);
  }
  return clean;
}

/** A count or a flag that is called `tokens` is no secret. */
function hidesValue(name: string, value: unknown): boolean {
  return value !== undefined && value !== null && !['number', 'boolean'].includes(typeof value) && isSecretName(name);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => redactValue(item, depth + 1));
  if (value instanceof URL) return redactText(value.href);
  return redactObject(value, depth);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = { name: error.name, message: redactText(error.message) };
  if ('code' in error && typeof error.code === 'string') clean['code'] = error.code;
  if (error.stack !== undefined) clean['stack'] = redactText(error.stack);
  if (error.cause !== undefined && depth <= MAX_DEPTH) clean['cause'] = redactValue(error.cause, depth + 1);
  if (error instanceof AggregateError && depth <= MAX_DEPTH) {
    clean['errors'] = error.errors.slice(0, MAX_DEPTH).map((inner) => redactValue(inner, depth + 1));
  }
  return clean;
}
