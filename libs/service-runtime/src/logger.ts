import pino, { type Logger as PinoRoot } from 'pino';
import { redactFields, redactText } from './redact';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/** What domain code needs of a logger. Secrets in fields and messages are redacted by whoever writes. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** The logger of a service. */
export interface ServiceLogger extends Logger {
  /** A logger that adds the fields to each line. */
  child(fields: LogFields): ServiceLogger;
  /** Whether a line of this level would be written: spares the cost of making its fields. */
  isEnabled(level: Exclude<LogLevel, 'silent'>): boolean;
}

/** Where lines go; each call is one line with its newline. */
export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  /** The name of the service, in the field `service`. */
  readonly service: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** `json` (default) for machines, `text` for people: one short line each. */
  readonly format?: LogFormat;
  /** Default standard output, written synchronously so that the last line before a crash is not lost. */
  readonly destination?: LogDestination;
}

const RESERVED_FIELDS: ReadonlySet<string> = new Set(['time', 'level', 'message', 'service']);
const TEXT_LEVELS: Readonly<Record<string, string>> = { debug: 'debug', info: 'info ', warn: 'WARN ', error: 'ERROR' };

/** A logger that writes one line of JSON (or text) per call, with secrets redacted. */
export function createLogger(options: LoggerOptions): ServiceLogger {
  const output = options.destination ?? pino.destination({ fd: 1, sync: true });
  const destination =
    options.format === 'text' ? { write: (line: string) => output.write(formatAsText(line)) } : output;
  const root = pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return new PinoLogger(root);
}

type PinoInstance = Pick<PinoRoot, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'> & {
  child(fields: Record<string, unknown>): PinoInstance;
};

class PinoLogger implements ServiceLogger {
  constructor(private readonly target: PinoInstance) {}

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields);
  }

  child(fields: LogFields): ServiceLogger {
    return new PinoLogger(this.target.child(cleanFields(fields)));
  }

  isEnabled(level: Exclude<LogLevel, 'silent'>): boolean {
    return this.target.isLevelEnabled(level);
  }

  private write(level: Exclude<LogLevel, 'silent'>, message: string, fields: LogFields | undefined): void {
    if (!this.target.isLevelEnabled(level)) return;
    this.target[level](fields === undefined ? {} : cleanFields(fields), redactText(message));
  }
}

/** A field that would stand twice in the line gets a name of its own. */
function cleanFields(fields: LogFields): Record<string, unknown> {
  const clean = redactFields(fields);
  for (const name of Object.keys(clean)) {
    if (!RESERVED_FIELDS.has(name)) continue;
    clean[`${name}_`] = clean[name];
    delete clean[name];
  }
  return clean;
}

/** `12:00:00.000 info  ingest: message key=value`, from a line of JSON. Control characters stay escaped. */
export function formatAsText(line: string): string {
  const { time, level, service, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const rest = Object.entries(fields).map(([name, value]) => ` ${escapeControls(name)}=${formatTextValue(value)}`);
  const head = `${clock} ${TEXT_LEVELS[String(level)] ?? String(level)} ${String(service)}: `;
  return `${head}${escapeControls(String(message))}${rest.join('')}\n`;
}

function formatTextValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w\-.:/]+$/.test(value)) return value;
  return escapeControls(JSON.stringify(value) ?? 'undefined');
}

function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    // JSON leaves DEL and the second set of controls as they are, which terminals obey as well.
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}
