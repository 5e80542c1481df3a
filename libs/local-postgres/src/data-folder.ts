import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SluiceError } from '@sluice/event-log';
import type { PostgresBinaries } from './binaries';
import { keepFile, syncFolder } from './keep-file';
import { makeFolder } from './make-folder';
import { runProgram } from './run-program';
import type { ServerUser } from './server-user';

export const DATABASE_USER = 'sluice';

/** Where the files of a server go that its user could not reach below a private home folder. */
const SYSTEM_FOLDER = '/var/lib/sluice';

/** The folder of the server's files: `<dataDir>/postgres`, unless the server's user cannot come there. */
export async function chooseClusterFolder(dataDir: string, user: ServerUser): Promise<string> {
  await makeFolder(dataDir);
  if (user.uid === undefined || (await canEnter(dataDir, user))) return join(dataDir, 'postgres');
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  await makeFolder(join(SYSTEM_FOLDER, name));
  return join(SYSTEM_FOLDER, name, 'postgres');
}

async function canEnter(folder: string, user: ServerUser): Promise<boolean> {
  return (await runProgram('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], user)).code === 0;
}

/** The password of the server, made at first use and kept beside its files, readable by this user alone. */
export async function readOrMakePassword(clusterFolder: string): Promise<string> {
  const file = `${clusterFolder}-password`;
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  if (existsSync(clusterFolder)) {
    throw new SluiceError('configuration', `${file} is missing, so ${clusterFolder} cannot be opened`);
  }
  const password = randomBytes(24).toString('hex');
  await keepFile(file, `${password}\n`);
  return password;
}

/** Makes the server's files at first use. They are made beside their place: an interrupted start leaves no half. */
export async function initialiseCluster(
  clusterFolder: string,
  password: string,
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<boolean> {
  if (existsSync(clusterFolder)) return false;
  const beside = `${clusterFolder}.new`;
  const passwordFile = join(dirname(clusterFolder), '.postgres-password.new');
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    if (user.uid !== undefined && user.gid !== undefined) {
      await chown(beside, user.uid, user.gid);
      await chown(passwordFile, user.uid, user.gid);
    }
    const { code, output } = await runProgram(
      binaries.initdb,
      [
        '-D',
        beside,
        '-U',
        DATABASE_USER,
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
      ],
      user,
    );
    if (code !== 0) throw new SluiceError('configuration', `initdb failed: ${output.split('\n').slice(-3).join(' ')}`);
    await chmod(beside, 0o700);
    await rename(beside, clusterFolder);
    await syncFolder(dirname(clusterFolder));
    return true;
  } finally {
    await rm(passwordFile, { force: true });
  }
}
