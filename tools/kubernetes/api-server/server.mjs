import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagedProcess } from '../../brokers/managed-process.mjs';
import { freePort } from '../../brokers/ports.mjs';
import { startReaper } from '../../brokers/reaper.mjs';

const HOST = '127.0.0.1';

/**
 * Starts etcd and an API server that nobody has used before, on loopback. There are no controllers and no nodes: objects
 * are checked, admitted and kept, and nothing is run.
 *
 * @param {{ etcd: string, apiServer: string, log: (line: string) => void }} parts paths of the binaries
 * @returns {Promise<{ kubeconfig: string, version: string, stop: () => Promise<void> }>}
 */
export async function startApiServer({ etcd, apiServer, log }) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-api-server-'));
  const reaper = startReaper([folder]);
  const processes = [];
  const stop = async () => {
    for (const each of processes.reverse()) await each.stop();
    reaper.done();
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (name, file, args, check) => {
    const command = { file, args, stopSignal: 'SIGTERM', options: { cwd: folder } };
    const managed = new ManagedProcess({ name, command, reaper, logFile: join(folder, `${name}.log`), log });
    processes.push(managed);
    await managed.start(check);
  };
  try {
    const etcdUrl = `http://${HOST}:${await freePort()}`;
    await start('etcd', etcd, etcdArgs(folder, etcdUrl, `http://${HOST}:${await freePort()}`), () =>
      fetch(`${etcdUrl}/health`).then(async (response) => requireOk(response.status, await response.text())),
    );
    const port = await freePort();
    const token = randomBytes(24).toString('hex');
    await writeCredentials(folder, token);
    await start('kube-apiserver', apiServer, apiServerArgs(folder, etcdUrl, port), () => ask(port, '/readyz', token));
    const { gitVersion } = JSON.parse(await ask(port, '/version', token));
    return { kubeconfig: await writeKubeconfig(folder, port, token), version: gitVersion, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function etcdArgs(folder, clientUrl, peerUrl) {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
  ];
}

function apiServerArgs(folder, etcdUrl, port) {
  const issuer = 'https://kubernetes.default.svc';
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${HOST}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--service-account-issuer=${issuer}`,
    `--service-account-key-file=${join(folder, 'service-accounts.pem')}`,
    `--service-account-signing-key-file=${join(folder, 'service-accounts.pem')}`,
  ];
}

/** An administrator's token, and the key of service accounts, which the server does not start without. */
async function writeCredentials(folder, token) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(join(folder, 'certificates'));
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  await writeFile(join(folder, 'service-accounts.pem'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
}

async function writeKubeconfig(folder, port, token) {
  const file = join(folder, 'kubeconfig.json');
  const name = 'sluice-check';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    // The server made its certificate itself a moment ago.
    clusters: [{ name, cluster: { server: `https://${HOST}:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: { token } }],
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

function requireOk(status, text) {
  if (status !== 200) throw new Error(`answers ${status}: ${text}`);
  return text;
}

function ask(port, path, token) {
  return new Promise((resolve, reject) => {
    const options = {
      host: HOST,
      port,
      path,
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${token}` },
    };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.once('end', () => {
        try {
          resolve(requireOk(response.statusCode, text));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.once('error', reject);
    call.end();
  });
}
