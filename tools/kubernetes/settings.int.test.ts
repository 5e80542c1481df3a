import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundedSpreadMs } from '@sluice/event-streams';
import { setting } from '@sluice/service-runtime';
import { settings } from '../../apps/all-in-one/src/config';
import {
  describeRendered,
  hasKubectl,
  namedObjects,
  OVERLAYS,
  renderOverlay,
  ROOT,
  type KubernetesObject,
} from './rendered';

const durationMs = (text: string): number => setting.durationMs({}).parse(text);

/** What the Secrets hold that an overlay leaves to somebody else; see k8s/README.md. */
const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'sluice-database': { SLUICE_DATABASE_URL: 'postgresql://sluice:x@db.example.com/sluice?sslmode=verify-full' },
  'sluice-kafka': { SLUICE_KAFKA_SASL: 'scram-sha-512,sluice,x' },
  'sluice-nats': { SLUICE_NATS_USER: 'sluice', SLUICE_NATS_PASSWORD: 'x' },
  'sluice-access': { SLUICE_TOKEN_SECRETS: 'x'.repeat(32), SLUICE_OPERATOR_KEYS: 'ab'.repeat(32) },
  'sluice-sealing': { SLUICE_SECRETS_KEY: Buffer.alloc(32).toString('base64') },
  'sluice-files': { SLUICE_S3_ACCESS_KEY_ID: 'x', SLUICE_S3_SECRET_ACCESS_KEY: 'x' },
};

/** The name without the hash that kustomize puts behind generated ones. */
const withoutHash = (name: string) => name.replace(/-[a-z0-9]{10}$/, '');

/** The environment of the app's container, as Kubernetes would make it. */
function environmentOf(deployment: KubernetesObject, objects: readonly KubernetesObject[]): Record<string, string> {
  const [container] = deployment['spec'].template.spec.containers;
  const environment: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom) {
    if (configMapRef) Object.assign(environment, namedObjects(objects, 'ConfigMap').get(configMapRef.name)?.['data']);
    if (!secretRef) continue;
    const data: object = namedObjects(objects, 'Secret').get(secretRef.name)?.['data'] ?? {};
    const generated = Object.entries(data).map(([name, value]) => [
      name,
      Buffer.from(String(value), 'base64').toString(),
    ]);
    Object.assign(environment, Object.keys(data).length > 0 ? Object.fromEntries(generated) : SECRETS[secretRef.name]);
  }
  for (const { name, value } of container.env ?? []) environment[name] = value;
  return environment;
}

describe('the settings in k8s/', () => {
  it('are settings that apps have', () => {
    const files = readdirSync(join(ROOT, 'k8s'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && /\.(ya?ml|env|md)$/.test(entry.name),
    );
    const named = files.flatMap(({ parentPath, name }) =>
      (readFileSync(join(parentPath, name), 'utf8').match(/\bSLUICE_[A-Z0-9_]+/g) ?? []).map((each) => String(each)),
    );
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((name) => !(name in settings))).toEqual([]);
  });

  it('have every Secret and its keys in the table of the README', () => {
    const readme = readFileSync(join(ROOT, 'k8s', 'README.md'), 'utf8');
    for (const [secret, keys] of Object.entries(SECRETS)) {
      for (const name of [secret, ...Object.keys(keys)]) expect(readme).toContain(`\`${name}\``);
    }
  });
});

if (hasKubectl()) {
  describe.each(OVERLAYS)('the overlay %s', (overlay) => {
    const objects = renderOverlay(overlay);
    const deployments = [...namedObjects(objects, 'Deployment')];

    it('uses no Secret but those that it makes and those of the table', () => {
      const used = deployments.flatMap(([, { spec }]) =>
        spec.template.spec.containers.flatMap(({ envFrom }: { envFrom: { secretRef?: { name: string } }[] }) =>
          envFrom.flatMap(({ secretRef }) => (secretRef ? [withoutHash(secretRef.name)] : [])),
        ),
      );
      expect([...new Set(used)].sort()).toEqual(Object.keys(SECRETS).sort());
    });

    it.each(deployments)('gives %s settings that it takes', (app, deployment) => {
      const main = join(ROOT, 'apps', app, 'dist', 'main.js');
      const { PATH } = process.env;
      const env = { PATH, ...environmentOf(deployment, objects) };
      const { stdout, stderr } = spawnSync(process.execPath, [main, '--check-config'], { env, encoding: 'utf8' });
      expect({ stdout, stderr }).toEqual({ stdout: 'ok\n', stderr: '' });
    });

    it.each(deployments)('gives %s the time that its drain takes', (_app, deployment) => {
      const environment = environmentOf(deployment, objects);
      const timeoutMs = durationMs(environment['SLUICE_DRAIN_TIMEOUT'] ?? '');
      const delayMs = durationMs(environment['SLUICE_DRAIN_DELAY'] ?? '');
      expect(deployment['spec'].template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(timeoutMs);
      expect(delayMs).toBeLessThan(timeoutMs / 2);
      for (const [name, value] of Object.entries(environment).filter(([each]) => each.endsWith('DRAIN_SPREAD'))) {
        const wantedMs = durationMs(value);
        expect({ name, spreadMs: boundedSpreadMs(wantedMs, { timeoutMs, delayMs }) }).toEqual({
          name,
          spreadMs: wantedMs,
        });
      }
    });

    it('has no more projectors than the topic has partitions', () => {
      const projector = deployments.find(([name]) => name === 'projector')?.[1];
      const partitions = Number(environmentOf(projector as KubernetesObject, objects)['SLUICE_KAFKA_PARTITIONS'] ?? 12);
      const scaler = namedObjects(objects, 'HorizontalPodAutoscaler').get('projector');
      expect(scaler?.['spec'].maxReplicas ?? 1).toBeLessThanOrEqual(partitions);
    });
  });
} else {
  // Without Deployments there is nothing to name tests by.
  describeRendered.each(OVERLAYS)('the overlay %s', () => it('is rendered', () => undefined));
}
