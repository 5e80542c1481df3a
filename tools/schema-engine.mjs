#!/usr/bin/env node
// Stand-in for Prisma's native schema-engine binary: same JSON-RPC on stdio, but the work is done by
// the official @prisma/schema-engine-wasm, talking to the database through @prisma/adapter-pg.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

const require = createRequire(import.meta.url);
const bg = await import('@prisma/schema-engine-wasm/schema_engine_bg');
const dir = dirname(require.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
const { instance } = await WebAssembly.instantiate(readFileSync(join(dir, 'schema_engine_bg.wasm')), {
  './schema_engine_bg.js': bg,
});
bg.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

const argv = process.argv.slice(2);
if (argv.includes('--version')) {
  console.log(`schema-engine-wasm ${bg.version()}`);
  process.exit(0);
}
const opt = (n) => argv.flatMap((a, i) => (a === n ? [argv[i + 1]] : []));
const url = JSON.parse(opt('--datasource')[0] ?? '{}').url;
const fail = (code, message) => {
  // The CLI drops the first line of stderr and parses every other one.
  process.stderr.write(JSON.stringify({ level: 'INFO', target: 'schema_engine', fields: { message: 'start' } }) + '\n');
  process.stderr.write(
    JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields: { message, error_code: code } }),
  );
  process.exit(1);
};

// The stock adapter splits scripts on ';' and spreads them over a pool; the simple query protocol runs the
// whole script in one round trip (and one implicit transaction), as the native engine does.
const wholeScript = (adapter, config) => {
  adapter.executeScript = async (script) => {
    const c = new pg.Client(config);
    await c.connect();
    try {
      await c.query(script);
    } catch (e) {
      adapter.onError(e);
    } finally {
      await c.end();
    }
  };
  patchChar(adapter);
  const start = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (l) => patchChar(await start(l));
  return adapter;
};
// adapter-pg has no mapping for the catalog type "char" (oid 18), which the engine's catalog queries return.
function patchChar(q) {
  const io = q.performIO.bind(q);
  const raw = q.queryRaw.bind(q);
  q.queryRaw = async (query) => {
    const chars = [];
    q.performIO = async (x) => {
      const r = await io(x);
      if (Array.isArray(r)) return { rowCount: r.reduce((n, y) => n + (y.rowCount ?? 0), 0), fields: [], rows: [] };
      r.fields = r.fields.map((f, i) => (f.dataTypeID === 18 ? (chars.push(i), { ...f, dataTypeID: 25 }) : f));
      return r;
    };
    const res = await raw(query);
    for (const i of chars) res.columnTypes[i] = ColumnTypeEnum.Character;
    return res;
  };
  return q;
}
class Factory extends PrismaPg {
  constructor(config) {
    super(config);
    this.cfg = config;
  }
  async connect() {
    return wholeScript(await super.connect(), this.cfg);
  }
  async connectToShadowDb() {
    const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
    const admin = new pg.Client(this.cfg);
    await admin.connect();
    await admin.query(`CREATE DATABASE "${name}"`);
    const u = new URL(this.cfg.connectionString);
    u.pathname = `/${name}`;
    const f = new Factory({ connectionString: u.toString() });
    const a = await f.connect();
    const dispose = a.dispose.bind(a);
    a.dispose = async () => {
      await dispose();
      await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      await admin.end();
    };
    return a;
  }
}

if (argv.includes('cli')) {
  const cmd = argv[argv.indexOf('cli') + 1];
  const u = new URL(url);
  const db = decodeURIComponent(u.pathname.slice(1));
  if (cmd === 'create-database') u.pathname = '/postgres';
  const c = new pg.Client({ connectionString: u.toString() });
  try {
    await c.connect();
    if (cmd === 'create-database') await c.query(`CREATE DATABASE "${db.replaceAll('"', '""')}"`);
    await c.end();
    process.exit(0);
  } catch (e) {
    const code = { '3D000': 'P1003', '28P01': 'P1000', '42P04': 'P1009', ECONNREFUSED: 'P1001' }[e.code] ?? 'P1001';
    fail(code, e.message);
  }
}

const factory = bindMigrationAwareSqlAdapterFactory(new Factory({ connectionString: url }));
const datamodels = opt('--datamodels').map((p) => [p, readFileSync(p, 'utf8')]);
const engine = await bg.SchemaEngine.new({ datamodels: datamodels.length ? datamodels : undefined }, () => {}, factory);
const rename = { getDatabaseVersion: 'version' };
const reply = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const { id, method, params } = JSON.parse(line);
  if (!method) continue;
  try {
    if (process.env.SE_DEBUG) console.error(JSON.stringify({ fields: { message: line.slice(0, 2000) } }));
    const r = await engine[rename[method] ?? method](params);
    if (method === 'diff' && r.stdout != null) {
      reply({ id: `p${id}`, method: 'print', params: { content: r.stdout } });
    }
    reply({ id, result: r ?? {} });
  } catch (e) {
    reply({
      id,
      error: {
        code: 4466,
        message: 'An error happened. Check the data field for details.',
        data: { is_panic: false, message: e.message ?? String(e), error_code: e.code, meta: e.meta ?? null },
      },
    });
  }
}
process.exit(0);
