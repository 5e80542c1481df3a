import { SluiceError } from '@sluice/event-log';
import type { z } from 'zod';

/** How many characters of a bad value a complaint repeats. */
const SHOWN_VALUE_MAX_LENGTH = 40;

/** One setting of a service: an environment variable and how to read it. */
export interface SettingDefinition {
  /** Reads the text of the variable, see `setting`. */
  readonly schema: z.ZodType;
  /** The text that is read when the variable is absent or empty. Without it the variable is required, unless the schema is optional. */
  readonly default?: string;
  /** One sentence for the README. */
  readonly description: string;
  /** The value never appears in an error or a table. */
  readonly secret?: boolean;
}

/** Settings by the name of their environment variable. */
export type SettingsDefinition = Readonly<Record<string, SettingDefinition>>;

/** The raw text of each defined setting; absent and empty are `undefined`. */
export type RawSettings<D extends SettingsDefinition> = { readonly [Name in keyof D]: string | undefined };

/** What `parseSettings` gives: the same names, read by their schemas. */
export type SettingsOf<D extends SettingsDefinition> = { readonly [Name in keyof D]: z.output<D[Name]['schema']> };

/** Keeps the exact types of a table of settings. */
export function defineSettings<const D extends SettingsDefinition>(definition: D): D {
  return definition;
}

/** The text of each defined setting, unread. An empty variable counts as absent, as compose files pass `${NAME:-}`. */
export function readEnv<D extends SettingsDefinition>(definition: D, env: NodeJS.ProcessEnv): RawSettings<D> {
  const entries = Object.keys(definition).map((name) => {
    const raw = env[name];
    return [name, raw === undefined || raw.trim() === '' ? undefined : raw];
  });
  return Object.fromEntries(entries) as RawSettings<D>;
}

/**
 * Reads every setting by its schema.
 *
 * @throws SluiceError `configuration`, one line that names every bad setting and what is expected of it.
 */
export function parseSettings<D extends SettingsDefinition>(definition: D, raw: RawSettings<D>): SettingsOf<D> {
  const values: Record<string, unknown> = {};
  const complaints: string[] = [];
  for (const [name, one] of Object.entries(definition)) {
    const given = raw[name];
    const result = one.schema.safeParse(given ?? one.default);
    if (result.success) values[name] = result.data;
    else complaints.push(complain(name, one, given, result.error.issues));
  }
  if (complaints.length > 0) {
    const count = complaints.length === 1 ? 'Bad setting' : `${complaints.length} bad settings`;
    throw new SluiceError('configuration', `${count}: ${complaints.join('; ')}`);
  }
  return values as SettingsOf<D>;
}

function complain(
  name: string,
  definition: SettingDefinition,
  given: string | undefined,
  issues: readonly { readonly message: string }[],
): string {
  const expected = issues.map((issue) => issue.message).join(', ');
  if (given === undefined) {
    return definition.default === undefined
      ? `${name} is missing, ${expected}`
      : `${name} has a bad default, ${expected}`;
  }
  if (mayHoldSecret(definition, given)) return `${name}: ${expected.replaceAll(given, '[secret]')}`;
  return `${name}: ${expected}, got ${JSON.stringify(given.slice(0, SHOWN_VALUE_MAX_LENGTH))}`;
}

/** A URL may carry a password even where nobody marked the setting as secret. */
function mayHoldSecret(definition: SettingDefinition, given: string): boolean {
  return definition.secret === true || given.includes('@') || given.includes('://');
}

/** A markdown table of the settings for a README: name, default, meaning. */
export function settingsTable(definition: SettingsDefinition): string {
  const rows = Object.entries(definition).map(([name, one]) => {
    const description = one.description + (one.secret === true ? ' Secret.' : '');
    return `| \`${name}\` | ${defaultCell(one)} | ${escapeCell(description)} |`;
  });
  return ['| setting | default | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}

function defaultCell(definition: SettingDefinition): string {
  if (definition.default !== undefined) {
    return definition.secret === true ? '(secret)' : `\`${escapeCell(definition.default)}\``;
  }
  return definition.schema.safeParse(undefined).success ? '–' : 'required';
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
