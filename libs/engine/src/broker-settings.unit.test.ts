import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { followFile, readBrokerTls } from './broker-files';
import { engineSettings, toEngineConfig } from './engine-settings';

const CLUSTER = {
  SLUICE_DATABASE_URL: 'postgresql://u:p@db:5432/sluice',
  SLUICE_KAFKA_BROKERS: 'k1:9092',
  SLUICE_NATS_URL: 'nats://n1:4222',
};

const read = (env: Record<string, string>) =>
  toEngineConfig(parseSettings(engineSettings, readEnv(engineSettings, { ...CLUSTER, ...env })));

describe.each([
  ['SLUICE_KAFKA_TLS', 'kafka'],
  ['SLUICE_NATS_TLS', 'nats'],
] as const)('%s', (prefix, broker) => {
  const tlsOf = (env: Record<string, string>) =>
    (read(env) as unknown as Record<string, { tls?: object }>)[broker]?.tls;

  it('is not asked for by default, and rests on the public authorities when it is', () => {
    expect(tlsOf({})).toBeUndefined();
    expect(tlsOf({ [prefix]: 'true' })).toEqual({});
  });

  it('takes the files of an authority, and of a certificate with its key', () => {
    const files = { [`${prefix}_CA_FILE`]: '/ca', [`${prefix}_CERT_FILE`]: '/cert', [`${prefix}_KEY_FILE`]: '/key' };
    expect(tlsOf({ [prefix]: 'true', ...files })).toEqual({ caFile: '/ca', certFile: '/cert', keyFile: '/key' });
  });

  it.each(['CA_FILE', 'CERT_FILE', 'KEY_FILE'])('refuses %s that would go unused', (name) => {
    expect(() => tlsOf({ [`${prefix}_${name}`]: '/x' })).toThrow(prefix);
  });

  it.each(['CERT_FILE', 'KEY_FILE'])('refuses %s alone', (name) => {
    expect(() => tlsOf({ [prefix]: 'true', [`${prefix}_${name}`]: '/x' })).toThrow('are needed together');
  });
});

describe('credentials for NATS', () => {
  it('are a token, a user with a password, or a file', () => {
    expect(read({ SLUICE_NATS_CREDENTIALS_FILE: '/f' })).toMatchObject({ nats: { credentialsFile: '/f' } });
    expect(read({ SLUICE_NATS_TOKEN: 't' })).toMatchObject({ nats: { token: 't' } });
    const login = { SLUICE_NATS_USER: 'u', SLUICE_NATS_PASSWORD: 'p' };
    expect(read(login)).toMatchObject({ nats: { user: 'u', password: 'p' } });
  });

  it.each([
    [{ SLUICE_NATS_USER: 'u' }, 'SLUICE_NATS_PASSWORD'],
    [{ SLUICE_NATS_PASSWORD: 'hunter2' }, 'SLUICE_NATS_USER'],
    [{ SLUICE_NATS_USER: 'u', SLUICE_NATS_PASSWORD: 'hunter2', SLUICE_NATS_TOKEN: 'hunter2' }, 'SLUICE_NATS_TOKEN'],
    [{ SLUICE_NATS_CREDENTIALS_FILE: '/f', SLUICE_NATS_TOKEN: 'hunter2' }, 'SLUICE_NATS_CREDENTIALS_FILE'],
  ])('are not half of one, nor two: %#', (env, named) => {
    const complaint = expect(() => read(env));
    complaint.toThrow(named);
    complaint.not.toThrow('hunter2');
  });
});

describe('files of brokers', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-broker-files-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are read, and one that cannot be read is named', async () => {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, 'PEM');
    await expect(readBrokerTls({ caFile })).resolves.toEqual({ ca: 'PEM' });
    const gone = join(folder, 'gone.pem');
    const refusal = { code: 'configuration', message: expect.stringContaining(gone) };
    await expect(readBrokerTls({ caFile: gone })).rejects.toMatchObject(refusal);
    expect(() => followFile(gone)).toThrow(expect.objectContaining(refusal));
  });

  it('are followed, and kept as they were while they are away', async () => {
    const file = join(folder, 'user.creds');
    await writeFile(file, 'first');
    const read = followFile(file);
    await writeFile(file, 'second');
    expect(Buffer.from(read()).toString()).toBe('second');
    await rm(file);
    expect(Buffer.from(read()).toString()).toBe('second');
  });
});
