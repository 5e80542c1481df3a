import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newApiKeyText } from '@sluice/access';
import { parseSettings, readEnv, settingsTable } from '@sluice/service-runtime';
import { toHostConfig } from './app-host';
import { hostSettings } from './host-settings';

const DEFINITION = hostSettings({ httpPort: 8080 });

const CLUSTER = {
  SLUICE_DATABASE_URL: 'postgresql://u:p@db:5432/sluice',
  SLUICE_KAFKA_BROKERS: 'k1:9092, k2:9092',
  SLUICE_NATS_URL: 'nats://n1:4222',
};

const read = (env: Record<string, string>) => toHostConfig('test', parseSettings(DEFINITION, readEnv(DEFINITION, env)));

/** What a process would print for bad settings. */
function complaintAbout(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'configuration' });
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('the settings were accepted');
}

describe('hostSettings', () => {
  it('has a default for everything but the addresses that an engine needs', () => {
    const memory = read({ SLUICE_ENGINE: 'memory' });
    expect(memory).toMatchObject({
      name: 'test',
      engine: { engine: 'memory' },
      http: { host: '0.0.0.0', port: 8080, trustedProxies: 0, corsOrigins: ['*'] },
      drain: { timeoutMs: 20_000, delayMs: 0 },
      access: { operatorKeys: [], apiKeyCache: { ttlMs: 5_000 }, tokens: { secrets: [] } },
    });
    const cluster = read(CLUSTER);
    expect(cluster.engine).toEqual({
      engine: 'cluster',
      names: expect.objectContaining({ topic: expect.stringContaining('sluice') }),
      database: { databaseUrl: CLUSTER.SLUICE_DATABASE_URL, poolSize: 10, migrate: true },
      kafka: {
        brokers: ['k1:9092', 'k2:9092'],
        partitions: 12,
        replicationFactor: 1,
        minInSyncReplicas: 1,
      },
      sealing: { enabled: true, keyMaxAgeMs: 300_000 },
      nats: { servers: ['nats://n1:4222'], replicas: 1, maxAgeMs: 3_600_000, maxBytes: 1_073_741_824 },
    });
    expect(read({ ...CLUSTER, SLUICE_ENGINE: 'embedded' }).engine).toEqual({
      engine: 'embedded',
      database: { databaseUrl: CLUSTER.SLUICE_DATABASE_URL, poolSize: 10, migrate: true },
    });
  });

  it.each([
    ['SLUICE_DATABASE_URL', 'cluster'],
    ['SLUICE_DATABASE_URL', 'embedded'],
    ['SLUICE_KAFKA_BROKERS', 'cluster'],
    ['SLUICE_NATS_URL', 'cluster'],
  ])('names %s when the engine %s lacks it', (name, engine) => {
    const message = complaintAbout({ ...CLUSTER, SLUICE_ENGINE: engine, [name]: '' });
    expect(message).toContain(name);
    expect(message).toContain(engine);
  });

  it.each([
    ['SLUICE_HTTP_PORT', '70000'],
    ['SLUICE_TRUST_PROXY', 'yes'],
    ['SLUICE_CORS_ORIGINS', 'app.example'],
    ['SLUICE_CORS_ORIGINS', 'https://app.example/'],
    ['SLUICE_CORS_ORIGINS', 'null'],
    ['SLUICE_CORS_ORIGINS', ','],
    ['SLUICE_LOOPBACK_WORKSPACE', '-1'],
    ['SLUICE_LOOPBACK_WORKSPACE', 'mine'],
    ['SLUICE_LOG_LEVEL', 'loud'],
    ['SLUICE_LOG_FORMAT', 'xml'],
    ['SLUICE_DRAIN_TIMEOUT', '1ms'],
    ['SLUICE_DRAIN_DELAY', '-1'],
    ['SLUICE_ENGINE', 'steam'],
    ['SLUICE_DATABASE_URL', 'mysql://db/sluice'],
    ['SLUICE_DATABASE_POOL_SIZE', '1'],
    ['SLUICE_DATABASE_MIGRATE', 'perhaps'],
    ['SLUICE_KAFKA_BROKERS', ' , '],
    ['SLUICE_KAFKA_BROKERS', 'k1'],
    ['SLUICE_KAFKA_BROKERS', 'k1:9092,k2'],
    ['SLUICE_KAFKA_BROKERS', 'kafka://k1:9092'],
    ['SLUICE_KAFKA_BROKERS', 'k1:0'],
    ['SLUICE_KAFKA_BROKERS', 'k1:70000'],
    ['SLUICE_KAFKA_PARTITIONS', '0'],
    ['SLUICE_KAFKA_REPLICATION_FACTOR', '10'],
    ['SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS', '1.5'],
    ['SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS', '2'],
    ['SLUICE_KAFKA_SASL', 'plain,user'],
    ['SLUICE_KAFKA_SASL', 'gssapi,user,password'],
    ['SLUICE_KAFKA_TLS', '2'],
    ['SLUICE_LOG_SEALING', 'maybe'],
    ['SLUICE_LOG_KEY_MAX_AGE', '10'],
    ['SLUICE_NATS_URL', ','],
    ['SLUICE_NATS_REPLICAS', '7'],
    ['SLUICE_DELIVERY_RETENTION', '10'],
    ['SLUICE_DELIVERY_MAX_BYTES', '1KB'],
    ['SLUICE_BROKER_PREFIX', 'a b'],
    ['SLUICE_TOKEN_JWKS_URL', 'ftp://keys'],
    ['SLUICE_TOKEN_ISSUER', 'x'.repeat(2_000)],
    ['SLUICE_TOKEN_AUDIENCE', 'x'.repeat(2_000)],
    ['SLUICE_TOKEN_SECRETS', 'too short'],
    ['SLUICE_TOKEN_SECRETS', `${'a'.repeat(32)},${'b'.repeat(32)}`],
    ['SLUICE_OPERATOR_KEYS', 'sk_short'],
    ['SLUICE_KEY_CACHE_TTL', '2h'],
    ['SLUICE_KEY_REQUESTS_PER_SECOND', '0'],
    ['SLUICE_KEY_REQUESTS_PER_SECOND', '9000000'],
    ['SLUICE_KEY_CONNECTIONS', '9000000'],
    ['SLUICE_MAX_CONNECTIONS', '9000000'],
  ])('names %s when it is bad: %.40s', (name, value) => {
    expect(complaintAbout({ ...CLUSTER, [name]: value })).toContain(name);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org', 'localhost.example.org'])(
    'lets nobody in without credentials while it listens on %s',
    (host) => {
      const env = { SLUICE_ENGINE: 'memory', SLUICE_LOOPBACK_WORKSPACE: '1', SLUICE_HTTP_HOST: host };
      const message = complaintAbout(env);
      expect(message).toContain('SLUICE_LOOPBACK_WORKSPACE');
      expect(message).toContain('SLUICE_HTTP_HOST');
    },
  );

  it.each(['127.0.0.1', '::1', 'localhost'])('knows the workspace of local callers while it listens on %s', (host) => {
    const env = { SLUICE_ENGINE: 'memory', SLUICE_LOOPBACK_WORKSPACE: '7', SLUICE_HTTP_HOST: host };
    expect(read(env).http).toMatchObject({ host, loopbackWorkspace: 7 });
    expect(read({ SLUICE_ENGINE: 'memory', SLUICE_HTTP_HOST: host }).http).not.toHaveProperty('loopbackWorkspace');
  });

  it('knows the files of TLS, which are needed together, and the port of probes without it', () => {
    const files = { SLUICE_TLS_CERT_FILE: '/tls/tls.crt', SLUICE_TLS_KEY_FILE: '/tls/tls.key' };
    expect(read({ SLUICE_ENGINE: 'memory', ...files, SLUICE_HEALTH_PORT: '9090' }).http).toMatchObject({
      tls: {
        files: {
          certificate: { path: '/tls/tls.crt', setting: 'SLUICE_TLS_CERT_FILE' },
          key: { path: '/tls/tls.key', setting: 'SLUICE_TLS_KEY_FILE' },
        },
        reloadIntervalMs: 30_000,
      },
      healthPort: { port: 9090, setting: 'SLUICE_HEALTH_PORT' },
    });
    expect(read({ SLUICE_ENGINE: 'memory' }).http).not.toHaveProperty('tls');
    for (const name of ['SLUICE_TLS_CERT_FILE', 'SLUICE_TLS_KEY_FILE', 'SLUICE_TLS_CLIENT_CA_FILE']) {
      expect(complaintAbout({ SLUICE_ENGINE: 'memory', [name]: '/tls/file' })).toBe(
        'SLUICE_TLS_CERT_FILE and SLUICE_TLS_KEY_FILE are needed together',
      );
    }
  });

  it('knows the origins whose pages may read answers', () => {
    const env = { SLUICE_ENGINE: 'memory', SLUICE_CORS_ORIGINS: 'https://app.example, http://localhost:3000' };
    expect(read(env).http.corsOrigins).toEqual(['https://app.example', 'http://localhost:3000']);
  });

  it('takes as many copies in sync as there are copies', () => {
    const copies = { SLUICE_KAFKA_REPLICATION_FACTOR: '3', SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS: '3' };
    expect(read({ ...CLUSTER, ...copies }).engine).toMatchObject({
      kafka: { replicationFactor: 3, minInSyncReplicas: 3 },
    });
  });

  it('names each of several bad settings', () => {
    const message = complaintAbout({ ...CLUSTER, SLUICE_HTTP_PORT: 'x', SLUICE_KAFKA_TLS: 'x' });
    expect(message).toContain('SLUICE_HTTP_PORT');
    expect(message).toContain('SLUICE_KAFKA_TLS');
  });

  it.each([
    ['SLUICE_DATABASE_URL', 'mysql://user:hunter2-hunter2@db/sluice'],
    ['SLUICE_KAFKA_SASL', 'hunter2-hunter2,user,hunter2-hunter2'],
    ['SLUICE_KAFKA_SASL', 'plain,hunter2-hunter2'],
    ['SLUICE_TOKEN_SECRETS', 'hunter2-hunter2'],
    ['SLUICE_TOKEN_SECRETS', `kid:hunter2-hunter2`],
    ['SLUICE_OPERATOR_KEYS', 'sk_hunter2-hunter2'],
    ['SLUICE_OPERATOR_KEYS', 'hunter2-hunter2'],
    ['SLUICE_TOKEN_JWKS_URL', 'ftp://user:hunter2-hunter2@keys'],
  ])('keeps the secret of %s out of its complaint', (name, value) => {
    const message = complaintAbout({ ...CLUSTER, [name]: value });
    expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });

  it('reads secrets, operators and SASL', () => {
    const [first, second, operator] = ['a'.repeat(32), 'b'.repeat(32), newApiKeyText()];
    const config = read({
      ...CLUSTER,
      SLUICE_TOKEN_SECRETS: `new:${first},old:${second}`,
      SLUICE_OPERATOR_KEYS: `${operator},${'0'.repeat(64)}`,
      SLUICE_KAFKA_SASL: 'scram-sha-512,user,pass,with,commas',
      SLUICE_NATS_TOKEN: 'token',
    });
    expect(config.access.tokens.secrets).toEqual([
      { kid: 'new', secret: first },
      { kid: 'old', secret: second },
    ]);
    expect(config.access.operatorKeys).toEqual([
      { name: 'operator 1', apiKey: operator },
      { name: 'operator 2', hash: '0'.repeat(64) },
    ]);
    expect(config.engine).toMatchObject({
      kafka: { sasl: { mechanism: 'scram-sha-512', username: 'user', password: 'pass,with,commas' } },
      nats: { token: 'token' },
    });
  });

  it('limits the burst of a caller to two seconds of its rate', () => {
    const { limits } = read({ SLUICE_ENGINE: 'memory', SLUICE_KEY_REQUESTS_PER_SECOND: '10' }).access;
    expect(limits.apiKey).toMatchObject({ requestsPerSecond: 10, burst: 20 });
  });

  it('lets an address fail for ten seconds of its rate at once', () => {
    const { limits } = read({ SLUICE_ENGINE: 'memory', SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '3' }).access;
    expect(limits.failedAuthentication).toEqual({ perSecond: 3, burst: 30 });
  });
});

describe('README', () => {
  /** The cells of each row of the first table of settings in a text; how wide they are set does not matter. */
  const rowsOf = (markdown: string) =>
    markdown
      .split('\n')
      .filter((line) => line.startsWith('| `SLUICE_'))
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));

  it('has the table of the settings as they are defined', () => {
    const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
    expect(rowsOf(readme)).toEqual(rowsOf(settingsTable(DEFINITION).replace('`8080`', 'its own')));
  });
});
