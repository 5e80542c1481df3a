import { SluiceError } from '@sluice/event-log';
import type { ClientBase } from 'pg';
import { VARIANTS_TABLE } from './copy-kept';
import { LACKING_TABLE } from './lacking';
import { inOtherSchema, LIVE_SCHEMA, NEXT_SCHEMA } from './model-schemas';

/** Everything that a schema is made of but its rows, one thing a line, with its own name left out: for comparisons. */
export async function describeStructure(client: ClientBase, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(STRUCTURE, [schema]);
  return rows.map(({ line }) => inOtherSchema(line, schema, '')).sort();
}

/** The first line that only one of two structures has; undefined where they are the same. */
export function firstDifference(one: readonly string[], other: readonly string[]): string | undefined {
  const difference = (from: readonly string[], without: readonly string[]) => {
    const known = new Set(without);
    return from.find((line) => !known.has(line));
  };
  return difference(one, other) ?? difference(other, one);
}

/** Whether the model beside the live one is made as that is, but for the tables that only building needs. */
export async function isUpToDate(client: ClientBase): Promise<boolean> {
  const next = await describeStructure(client, NEXT_SCHEMA);
  const ofModel = next.filter((line) => !line.includes(VARIANTS_TABLE) && !line.includes(LACKING_TABLE));
  return firstDifference(await describeStructure(client, LIVE_SCHEMA), ofModel) === undefined;
}

/**
 * Readers outside of a schema that rest on a table of it would go on with the former model after a switch, and go with it.
 * @throws SluiceError with this code when there is one
 */
export async function refuseDependents(
  client: ClientBase,
  schema: string,
  code: 'configuration' | 'conflict' = 'configuration',
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(DEPENDENTS, [schema]);
  if (rows[0] === undefined) return;
  throw new SluiceError(code, `${rows[0].name} rests on the schema ${schema}: drop it first`);
}

/** Views, and tables with a foreign key. */
const DEPENDENTS = `
  WITH here AS (SELECT c.oid, c.relnamespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)
  SELECT format('%I.%I', n.nspname, c.relname) AS name
  FROM (
    SELECT r.ev_class AS relation, here.relnamespace FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN here ON here.oid = d.refobjid
    UNION ALL
    SELECT k.conrelid, here.relnamespace FROM pg_constraint k JOIN here ON here.oid = k.confrelid
  ) d
  JOIN pg_class c ON c.oid = d.relation AND c.relnamespace <> d.relnamespace
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LIMIT 1`;

/** Constraints that say no more than that a column is not null are left out: columns say so themselves. */
const STRUCTURE = `
  WITH here AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = $1)
  SELECT concat_ws(' ', 'relation', c.relkind, c.relname, c.relpersistence, array_to_string(c.reloptions, ','),
    c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) AS line
  FROM pg_class c JOIN here ON c.relnamespace = here.oid WHERE c.relkind NOT IN ('i', 'c')
  UNION ALL
  SELECT concat_ws(' ', 'column', c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod), l.collname,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
    a.attstorage, a.attcompression, a.attstattarget, array_to_string(a.attoptions, ','))
  FROM pg_class c JOIN here ON c.relnamespace = here.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relkind IN ('r', 'p')
  UNION ALL
  SELECT concat_ws(' ', 'constraint', c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid))
  FROM pg_constraint k JOIN here ON k.connamespace = here.oid JOIN pg_class c ON c.oid = k.conrelid
  WHERE k.contype <> 'n'
  UNION ALL
  SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, array_to_string(c.reloptions, ','))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN here ON c.relnamespace = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'sequence', c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
    s.seqcache, s.seqcycle, (SELECT o.relname || '.' || a.attname FROM pg_depend p JOIN pg_class o ON o.oid = p.refobjid
      JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = p.refobjsubid
      WHERE p.objid = c.oid AND p.classid = 'pg_class'::regclass AND p.deptype IN ('a', 'i')))
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN here ON c.relnamespace = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'function', f.proowner::regrole, CASE WHEN f.prokind IN ('f', 'p') THEN pg_get_functiondef(f.oid) ELSE f.proname::text END)
  FROM pg_proc f JOIN here ON f.pronamespace = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'trigger', t.tgenabled, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN here ON c.relnamespace = here.oid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT concat_ws(' ', 'policy', c.relname, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN here ON c.relnamespace = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'rule', c.relname, r.ev_enabled, pg_get_ruledef(r.oid))
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN here ON c.relnamespace = here.oid WHERE r.rulename <> '_RETURN'
  UNION ALL
  SELECT concat_ws(' ', 'publication', p.pubname, c.relname)
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
  JOIN here ON c.relnamespace = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'publication', p.pubname, 'of the schema')
  FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid JOIN here ON n.pnnspid = here.oid
  UNION ALL
  SELECT concat_ws(' ', 'type', t.typtype, t.typname)
  FROM pg_type t JOIN here ON t.typnamespace = here.oid WHERE t.typtype IN ('e', 'd', 'r')
  UNION ALL
  SELECT concat_ws(' ', 'grant', g.thing, g.grantee, g.privilege_type, g.is_grantable) FROM (
    SELECT 'schema' AS thing, (x).* FROM here, aclexplode(here.nspacl) x
    UNION ALL
    SELECT c.relname || '.' || a.attname, (x).* FROM pg_class c JOIN here ON c.relnamespace = here.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped, aclexplode(a.attacl) x
    UNION ALL
    SELECT c.relname::text, (x).* FROM pg_class c JOIN here ON c.relnamespace = here.oid, aclexplode(c.relacl) x
    UNION ALL
    SELECT f.oid::regprocedure::text, (x).* FROM pg_proc f JOIN here ON f.pronamespace = here.oid, aclexplode(f.proacl) x
  ) g`;
