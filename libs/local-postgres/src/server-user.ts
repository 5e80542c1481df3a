import { SluiceError } from '@sluice/event-log';
import { runProgram } from './run-program';

/** Who the server runs as: empty for the user of this process. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Tried in this order where this process is root, which PostgreSQL refuses to run as. */
const UNPRIVILEGED_USERS = ['postgres', 'nobody'];

/** @throws SluiceError `configuration` where there is nobody to run it as. */
export async function findServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  for (const user of UNPRIVILEGED_USERS) {
    const [uid, gid] = await Promise.all([
      runProgram('/usr/bin/id', ['-u', user], {}),
      runProgram('/usr/bin/id', ['-g', user], {}),
    ]);
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.output), gid: Number(gid.output) };
  }
  throw new SluiceError(
    'configuration',
    `PostgreSQL does not run as root, and there is no user ${UNPRIVILEGED_USERS.join(' or ')}`,
  );
}
