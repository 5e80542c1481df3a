import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { startLocalPostgres, type LocalPostgres } from '../src';
import { ordinaryUser, startOwner, type Owner } from './owner';

async function query(databaseUrl: string | undefined, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startLocalPostgres', () => {
  let root: string;
  let dataDir: string;
  const running: LocalPostgres[] = [];
  const owners: Owner[] = [];

  const start = async () => {
    const postgres = await startLocalPostgres({ dataDir });
    running.push(postgres);
    return postgres;
  };
  const startElsewhere = async (...args: Parameters<typeof startOwner>) => {
    const owner = await startOwner(...args);
    owners.push(owner);
    return owner;
  };
  const postmasterPid = async () =>
    Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-local-postgres-'));
    // The server's user has to come in where the tests run as root.
    await chmod(root, 0o755);
    dataDir = join(root, 'data');
  });

  afterEach(async () => {
    for (const postgres of running.splice(0)) await postgres.stop();
    for (const owner of owners.splice(0)) if (owner.child.exitCode === null) await owner.end('SIGKILL');
    await rm(root, { recursive: true, force: true });
  });

  it('starts on a fresh folder, stops, and has kept the data when it starts again', async () => {
    const first = await start();
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await first.stop();
    await expect(query(first.databaseUrl, 'SELECT')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    const second = await start();
    expect(await query(second.databaseUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
    expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o077).toBe(0);
  });

  it('ends with its owner that is killed, and starts again with everything that was committed', async () => {
    const owner = await startElsewhere(dataDir);
    await query(owner.answer.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid();
    await owner.end('SIGKILL');
    const next = await start();
    expect(await query(next.databaseUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
    await until(() => !isAlive(pid), 'the first server to be gone');
  });

  it('starts on the files of a server that was killed itself, whose postmaster.pid is stale', async () => {
    const owner = await startElsewhere(dataDir);
    await query(owner.answer.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    await owner.end('SIGKILL');
    await until(() => !isAlive(pid), 'the server to be gone');
    expect(await postmasterPid()).toBe(pid);
    const next = await start();
    expect(await query(next.databaseUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('refuses a folder that a living process owns, and leaves that one alone', async () => {
    const first = await start();
    const second = await startElsewhere(dataDir);
    expect(second.answer).toEqual({
      code: 'configuration',
      message: `${join(dataDir, 'postgres')} is in use by another running Sluice`,
    });
    expect(await query(first.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('works for an ordinary user', async () => {
    const user = ordinaryUser();
    await mkdir(dataDir);
    if (user.uid !== undefined && user.gid !== undefined) await chown(dataDir, user.uid, user.gid);
    const owner = await startElsewhere(dataDir, user);
    expect(await query(owner.answer.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(user.uid ?? process.getuid?.());
    await owner.end('SIGTERM');
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('says in one line that an ordinary user may not write the folder', async () => {
    await mkdir(dataDir, { mode: 0o555 });
    const { answer } = await startElsewhere(dataDir, ordinaryUser());
    expect(answer).toMatchObject({ code: 'configuration', message: expect.stringContaining(dataDir) });
    expect(answer.message).toMatch(/^The data folder .* cannot be used: EACCES.*$/);
  });

  it.each(['a file', 'below a file', 'in a folder that takes none'])(
    'says in one line what is wrong: %s',
    async (kind) => {
      await writeFile(join(root, 'file'), '');
      const places: Record<string, string> = { 'a file': 'file', 'below a file': 'file/x/y' };
      dataDir = kind in places ? join(root, places[kind] ?? '') : '/proc/sluice/data';
      const failure = start();
      await expect(failure).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining(dataDir) });
      await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('\n') });
    },
  );

  it('does not go on without the password of its files, nor with another', async () => {
    const { stop } = await start();
    await stop();
    const file = join(dataDir, 'postgres-password');
    await writeFile(file, 'another\n');
    await expect(start()).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('password'),
    });
    await rm(file);
    await expect(start()).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining(file) });
  });

  it('tells the fault of files that PostgreSQL does not take', async () => {
    const { stop } = await start();
    await stop();
    await rm(join(dataDir, 'postgres', 'PG_VERSION'));
    await expect(start()).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('not a valid data directory'),
    });
  });
});
