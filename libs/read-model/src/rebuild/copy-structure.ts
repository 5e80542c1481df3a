import { SluiceError } from '@sluice/event-log';
import { escapeIdentifier, type ClientBase, type Pool } from 'pg';
import { inOtherSchema } from './model-schemas';
import { describeStructure, firstDifference } from './structure';

/**
 * Makes a schema that has everything of another one but its rows. What is there is the measure, not what the migrations once
 * made: an index or a grant that an administrator added is there, too. To be called in a transaction.
 * @throws SluiceError `configuration` when there is something that it cannot make
 */
export async function copyStructure(client: ClientBase, from: string, to: string): Promise<void> {
  await client.query(`CREATE SCHEMA ${escapeIdentifier(to)}`);
  for (const name of await tableNames(client, from)) {
    await client.query(`CREATE TABLE ${table(to, name)} (LIKE ${table(from, name)} ${LIKE_OPTIONS})`);
  }
  for (const definitions of [OPTIONS, SEQUENCES, CONSTRAINTS, INDEXES, FUNCTIONS, TRIGGERS, GRANTS]) {
    for (const definition of await definitionsOf(client, definitions, from)) {
      await client.query(inOtherSchema(definition, from, to));
    }
  }
  for (const grant of await definitionsOf(client, SCHEMA_GRANTS, from)) {
    await client.query(grant.replace('$schema', escapeIdentifier(to)));
  }
  const difference = firstDifference(await describeStructure(client, from), await describeStructure(client, to));
  if (difference === undefined) return;
  throw new SluiceError('configuration', `The read model has something that a rebuild cannot make: ${difference}`);
}

/** What makes the functions of a schema, as they are. */
export function functionDefinitions(client: ClientBase, schema: string): Promise<readonly string[]> {
  return definitionsOf(client, FUNCTIONS, schema);
}

/** The tables of a schema, by their names. */
export async function tableNames(client: ClientBase | Pool, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(TABLES, [schema]);
  return rows.map(({ name }) => name);
}

async function definitionsOf(client: ClientBase, statement: string, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ definition: string }>(statement, [schema]);
  return rows.map(({ definition }) => definition);
}

const table = (schema: string, name: string) => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;

/** What a table is like of itself. Keys and indexes have names to keep, so they are made one by one. */
const LIKE_OPTIONS = `INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION
  INCLUDING COMMENTS INCLUDING STATISTICS`;

const IN_SCHEMA = '(SELECT oid FROM pg_namespace WHERE nspname = $1)';

const TABLES = `SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = ${IN_SCHEMA} ORDER BY 1`;

const OPTIONS = `
  SELECT format('ALTER TABLE %I.%I SET (%s)', $1::text, c.relname, array_to_string(c.reloptions, ', ')) AS definition
  FROM pg_class c WHERE c.relkind = 'r' AND c.reloptions IS NOT NULL AND c.relnamespace = ${IN_SCHEMA}`;

const SEQUENCES = `
  SELECT format('CREATE SEQUENCE %1$I.%2$I AS %3$s INCREMENT %4$s MINVALUE %5$s MAXVALUE %6$s START %7$s CACHE %8$s %9$s
    OWNED BY %1$I.%10$I.%11$I; ALTER TABLE %1$I.%10$I ALTER COLUMN %11$I SET DEFAULT nextval(%12$L)',
    $1::text, c.relname, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
    CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END, o.relname, a.attname, format('%I.%I', $1::text, c.relname))
    AS definition
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid AND c.relnamespace = ${IN_SCHEMA}
  JOIN pg_depend p ON p.objid = c.oid AND p.classid = 'pg_class'::regclass AND p.deptype = 'a'
  JOIN pg_class o ON o.oid = p.refobjid
  JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = p.refobjsubid
  ORDER BY c.relname`;

/** Keys first: foreign keys rest on them. */
const CONSTRAINTS = `
  SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $1::text, c.relname, k.conname, pg_get_constraintdef(k.oid)) AS definition
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE k.contype <> 'n' AND k.connamespace = ${IN_SCHEMA}
  ORDER BY k.contype = 'f', c.relname, k.conname`;

const INDEXES = `
  SELECT pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    AND c.relnamespace = ${IN_SCHEMA}
  ORDER BY c.relname`;

const FUNCTIONS = `
  SELECT pg_get_functiondef(f.oid) AS definition FROM pg_proc f
  WHERE f.prokind IN ('f', 'p') AND f.pronamespace = ${IN_SCHEMA} ORDER BY f.proname, f.oid`;

const TRIGGERS = `
  SELECT pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND c.relnamespace = ${IN_SCHEMA} ORDER BY c.relname, t.tgname`;

const TO_GRANTEE = `CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
    || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END`;

/** What others than the owner were given of the schema itself, whose name is left open. */
const SCHEMA_GRANTS = `
  SELECT format('GRANT %s ON SCHEMA $schema TO %s', g.privilege_type, ${TO_GRANTEE}) AS definition
  FROM pg_namespace n, aclexplode(n.nspacl) g WHERE n.nspname = $1 AND g.grantee <> n.nspowner`;

/** What others than the owner were given of what is in the schema. */
const GRANTS = `
  SELECT format('GRANT %s ON %s TO %s', g.privilege_type, g.thing, ${TO_GRANTEE}) AS definition
  FROM (
    SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, $1::text, c.relname) AS thing,
      c.relowner AS owner, (x).*
    FROM pg_class c, aclexplode(c.relacl) x WHERE c.relkind IN ('r', 'S') AND c.relnamespace = ${IN_SCHEMA}
    UNION ALL
    SELECT 'FUNCTION ' || f.oid::regprocedure::text, f.proowner, (x).*
    FROM pg_proc f, aclexplode(f.proacl) x WHERE f.pronamespace = ${IN_SCHEMA}
  ) g
  WHERE g.grantee <> g.owner`;
