// Brokers that ask for TLS and credentials, for the tests of both: `node tools/brokers/secured.mjs FOLDER`, where the
// folder has `cert.pem`, for 127.0.0.1 and localhost, and `key.pem`. It may have `rights.json`: users of NATS with their
// permissions, by name, and what one more user of Kafka may do (`ACL` of kafkajs without whom and from where). All have the
// same password. Prints one line of JSON when they are ready, and ends when standard input closes.
import { createRequire } from 'node:module';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readConfig } from './config.mjs';
import { installKafka } from './install.mjs';
import { kafkaNode } from './kafka.mjs';
import { ManagedProcess } from './managed-process.mjs';
import { makeNatsOperator } from './nats-operator.mjs';
import { prepareNats } from './nats.mjs';
import { freePort } from './ports.mjs';
import { checkKafka, checkNats } from './ready.mjs';
import { startReaper } from './reaper.mjs';

const USER = 'sluice';
const PASSWORD = 'secret of brokers';
/** At Kafka it may do what `rights.json` says, and nothing else. */
const LIMITED_USER = 'limited';

const require = createRequire(import.meta.url);

const log = (line) => process.stderr.write(`${line}\n`);

/** TLS, one user who may do all, and those who may do what is said. */
async function securedNats({ config, folder, certificates, rights }) {
  const users = [{ user: USER }, ...rights.nats].map((user) => JSON.stringify({ ...user, password: PASSWORD }));
  return prepareNats({
    config,
    folder,
    log,
    moreLines: [
      'tls {',
      `  cert_file: ${JSON.stringify(join(certificates, 'cert.pem'))}`,
      `  key_file: ${JSON.stringify(join(certificates, 'key.pem'))}`,
      '}',
      'authorization {',
      `  users: [ ${users.join(', ')} ]`,
      '}',
    ],
  });
}

/** No TLS; its users have files with a signed token. */
async function operatedNats({ config, folder }) {
  const { configLines, credentials } = makeNatsOperator();
  const credentialsFile = join(folder, 'user.creds');
  const own = join(folder, 'operated');
  await mkdir(own);
  await writeFile(credentialsFile, credentials, { mode: 0o600 });
  return { ...(await prepareNats({ config, folder: own, log, moreLines: configLines })), credentialsFile };
}

/** A second listener with TLS, PLAIN and SCRAM; the first one is for the node itself, the check and who gives rights. */
async function securedKafka({ config, folder, certificates, rights }) {
  const jars = await installKafka({ ...config, log });
  const [plain, secured, controller] = [await freePort(), await freePort(), await freePort()];
  const keyStore = join(folder, 'kafka-keys.pem');
  const texts = await Promise.all(['key.pem', 'cert.pem'].map((name) => readFile(join(certificates, name), 'utf8')));
  await writeFile(keyStore, texts.join(''), { mode: 0o600 });
  const [open, closed] = [`PLAINTEXT://127.0.0.1:${plain}`, `SASL_SSL://127.0.0.1:${secured}`];
  const passwords = [USER, LIMITED_USER].map((user) => ` user_${user}="${PASSWORD}"`).join('');
  const login = (module, rest = '') => `org.apache.kafka.common.security.${module} required${rest};`;
  const node = await kafkaNode({
    config,
    jars,
    folder,
    durable: false,
    keepData: false,
    jvmFlags: [],
    moreSettings: {
      listeners: `${open},${closed},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `${open},${closed}`,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keyStore,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': `User:ANONYMOUS;User:${USER}`,
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
      'listener.name.sasl_ssl.plain.sasl.jaas.config': login('plain.PlainLoginModule', passwords),
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': login('scram.ScramLoginModule'),
    },
    formatArgs: ['--add-scram', `SCRAM-SHA-512=[name=${USER},password=${PASSWORD}]`],
  });
  const inside = `127.0.0.1:${plain}`;
  const check = async () => {
    await checkKafka(inside);
    if (rights.kafka.length > 0) await giveRights(inside, rights.kafka);
  };
  return { ...node, check, address: `127.0.0.1:${secured}` };
}

async function giveRights(brokers, rights) {
  const { Kafka, AclPermissionTypes, logLevel } = require('kafkajs');
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    const whom = { principal: `User:${LIMITED_USER}`, host: '*', permissionType: AclPermissionTypes.ALLOW };
    await admin.createAcls({ acl: rights.map((right) => ({ ...right, ...whom })) });
  } finally {
    await admin.disconnect();
  }
}

async function readRights(certificates) {
  const text = await readFile(join(certificates, 'rights.json'), 'utf8').catch(() => '{}');
  return { nats: [], kafka: [], ...JSON.parse(text) };
}

async function main(certificates) {
  const config = readConfig();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-secured-'));
  const reaper = startReaper([folder]);
  const running = [];
  const start = async (name, { command }, check) => {
    const managed = new ManagedProcess({ name, command, reaper, logFile: join(folder, `${name}.log`), log });
    running.push(managed);
    await managed.start(check);
  };
  try {
    const rights = await readRights(certificates);
    const nats = await securedNats({ config, folder, certificates, rights });
    const operated = await operatedNats({ config, folder });
    const kafka = await securedKafka({ config, folder, certificates, rights });
    await Promise.all([
      start('nats', nats, () => checkNats(nats.address)),
      start('operated-nats', operated, () => checkNats(operated.address)),
      start('kafka', kafka, kafka.check),
    ]);
    // By name: its client holds the certificate of an address against the name `localhost`.
    const natsUrl = nats.address.replace('127.0.0.1', 'localhost');
    const answer = {
      kafkaBrokers: kafka.address,
      natsUrl,
      user: USER,
      password: PASSWORD,
      limitedUser: LIMITED_USER,
      natsLogFile: join(folder, 'nats.log'),
      operatedNatsUrl: operated.address,
      credentialsFile: operated.credentialsFile,
    };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    process.stdin.resume();
    await new Promise((resolveClosed) => process.stdin.once('close', resolveClosed).once('end', resolveClosed));
  } finally {
    await Promise.all(running.map((each) => each.stop('SIGKILL')));
    reaper.done();
    await rm(folder, { recursive: true, force: true });
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  log('usage: node tools/brokers/secured.mjs FOLDER');
  process.exitCode = 2;
} else {
  await main(resolve(folder)).catch((error) => {
    log(error.message);
    process.exitCode = 1;
  });
}
