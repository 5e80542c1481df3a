import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { evaluate, ROOT } from './run-module';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly args: Record<string, string> };
  readonly command?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly restart?: string;
}

const text = readFileSync(join(ROOT, 'docker', 'compose.yaml'), 'utf8');
const file = parse(text, { merge: true }) as {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, null>;
};
const services = Object.entries(file.services);
const serviceOf = (name: string): Service => {
  const service = file.services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return service;
};

/** Apps that serve in the cluster: `all-in-one` is all of them at once, and `cli` calls them. */
const SERVED = readdirSync(join(ROOT, 'apps')).filter((app) => !['all-in-one', 'cli'].includes(app));
/** Steps that end. */
const STEPS = ['secrets', 'migrate', 'welcome'];

/** What a service may say here; anything else is a slip of the pen, or deserves a thought. */
const KNOWN_KEYS = [
  'build',
  'cap_drop',
  'command',
  'depends_on',
  'entrypoint',
  'environment',
  'healthcheck',
  'image',
  'logging',
  'mem_limit',
  'pids_limit',
  'ports',
  'read_only',
  'restart',
  'security_opt',
  'shm_size',
  'stop_grace_period',
  'tmpfs',
  'user',
  'volumes',
];

describe('the compose stack', () => {
  it.each(SERVED)('has the app %s: ready when it can serve, on a root file system that is read-only', (app) => {
    const service = serviceOf(app);
    expect(service.image).toMatch(new RegExp(`^sluice/${app}:`));
    expect(service.build).toEqual({
      context: '..',
      dockerfile: 'docker/Dockerfile',
      args: {
        APP: app,
        VERSION: expect.stringMatching(/^\$\{SLUICE_VERSION:-/),
        REVISION: expect.stringMatching(/^\$\{SLUICE_REVISION:-/),
        SOURCE_DATE_EPOCH: expect.stringMatching(/^\$\{SOURCE_DATE_EPOCH:-/),
      },
    });
    expect(service.healthcheck?.test).toEqual(['CMD', 'node', 'healthcheck.mjs', '/ready']);
    expect(service.read_only).toBe(true);
    // The image's own user, who is not root.
    expect(service.user).toBeUndefined();
    expect(service.depends_on?.['migrate']).toEqual({ condition: 'service_completed_successfully' });
    expect(serviceOf('gateway').depends_on?.[app]).toEqual({ condition: 'service_healthy' });
  });

  it('has the images of this version, where no other is asked for', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const defaults = new Set([...text.matchAll(/SLUICE_VERSION:-([^}]*)\}/g)].map(([, given]) => given));
    expect([...defaults]).toEqual([version]);
  });

  it('has the versions of the brokers that tests run with', () => {
    const versions = evaluate<Record<'kafka' | 'nats' | 'postgres', string>>(
      `import { KAFKA_VERSION, NATS_SERVER_VERSION } from './tools/brokers/install.mjs';
       import { POSTGRES_IMAGE } from './tools/brokers/containers.mjs';
       console.log(JSON.stringify({ kafka: 'apache/kafka:' + KAFKA_VERSION, nats: 'nats:' + NATS_SERVER_VERSION + '-alpine', postgres: POSTGRES_IMAGE }));`,
    );
    for (const [name, image] of Object.entries(versions)) expect(serviceOf(name).image).toContain(`:-${image}}`);
  });

  it.each(services)('%s says nothing unknown, is bounded and has no rights', (_, service) => {
    expect(Object.keys(service).filter((key) => !KNOWN_KEYS.includes(key))).toEqual([]);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.pids_limit).toBeGreaterThan(0);
  });

  it.each(services)('%s is checked, or is a step that ends', (name, service) => {
    const isStep = STEPS.includes(name);
    expect(service.restart).toBe(isStep ? 'no' : 'unless-stopped');
    expect(service.healthcheck?.disable ?? false).toBe(isStep);
    if (!isStep) expect(service.healthcheck?.test?.[0]).toBe('CMD');
  });

  it.each(services)('%s waits for services that there are, in a way that can come true', (_, service) => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const expected = STEPS.includes(other) ? 'service_completed_successfully' : 'service_healthy';
      expect({ other, isThere: other in file.services, condition }).toEqual({
        other,
        isThere: true,
        condition: expected,
      });
    }
  });

  it('opens ports on the loopback only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports).toHaveLength(2);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts volumes that are declared and files that are there', () => {
    const used = services.flatMap(([, service]) => service.volumes ?? []).map((mount) => mount.split(':')[0] ?? '');
    const files = used.filter((source) => source.startsWith('.'));
    expect(files.length).toBeGreaterThan(0);
    for (const path of files) expect(existsSync(join(ROOT, 'docker', path))).toBe(true);
    const volumes = new Set(used.filter((source) => !source.startsWith('.')));
    expect([...volumes].sort()).toEqual(Object.keys(file.volumes).sort());
  });

  it('has no secret in it: they are made at the first start', () => {
    for (const [, { environment = {} }] of services) {
      const names = Object.keys(environment).filter((name) =>
        /SECRET|TOKEN|PASSWORD(?!_FILE)|OPERATOR|DATABASE_URL/.test(name),
      );
      expect(names).toEqual([]);
    }
    expect(text).not.toMatch(/sk_|postgres(?:ql)?:\/\//);
  });
});
