import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeRendered,
  namedObjects,
  OVERLAYS,
  podTemplateOf,
  renderOverlay,
  renderWithComponent,
  ROOT,
  type KubernetesObject,
} from './rendered';
import { StrictSchemas } from './strict-schema';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const APPS = [
  'ingest',
  'projector',
  'pubsub-tcp',
  'query',
  'registry-watcher',
  'sessions',
  'sse-stream',
  'webhooks',
  'workspace',
];

interface SecretRef {
  readonly name: string;
  readonly optional?: boolean;
}

const isSubset = (part: Record<string, string>, whole: Record<string, string> = {}) =>
  Object.entries(part).every(([name, value]) => whole[name] === value);

describe('the schemas', () => {
  const schemas = new StrictSchemas();
  const service = (spec: object): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'x' },
    spec,
  });

  it('refuse fields that Kubernetes does not know, values of another type, and kinds that nobody has', () => {
    expect(schemas.faultsOf(service({ ports: [{ port: 80, targetPort: 'http' }] }))).toEqual([]);
    expect(schemas.faultsOf(service({ ports: [{ port: 80, targetport: 'http' }] }))).toEqual([
      'Service x: /spec/ports/0/targetport is no field',
    ]);
    expect(schemas.faultsOf(service({ ports: [{ port: '80' }] }))).toEqual([
      'Service x: /spec/ports/0/port must be integer',
    ]);
    expect(schemas.faultsOf({ apiVersion: 'v1', kind: 'Servise', metadata: { name: 'x' } })).toHaveLength(1);
    const monitor = { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', metadata: { name: 'x' } };
    const spec = { selector: {}, endpoints: [{ prot: 'http' }] };
    expect(schemas.faultsOf({ ...monitor, spec })).toEqual(['ServiceMonitor x: /spec/endpoints/0/prot is no field']);
  });
});

const RENDERED = [
  ...OVERLAYS.map((overlay) => ({ name: String(overlay), render: () => renderOverlay(overlay) })),
  { name: 'production with the component chains', render: () => renderWithComponent('production', 'chains') },
];

describeRendered.each(RENDERED)('the overlay $name', ({ render }) => {
  const objects = render();
  const schemas = new StrictSchemas();
  const templates = objects.flatMap((object) => {
    const template = podTemplateOf(object);
    return template === undefined ? [] : [{ where: `${object.kind} ${object.metadata.name}`, template }];
  });

  it('has nothing that Kubernetes does not know', () => {
    expect(objects.flatMap((object) => schemas.faultsOf(object))).toEqual([]);
  });

  it('has everything in the namespace of restricted pods', () => {
    const [namespace] = namedObjects(objects, 'Namespace').values();
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const elsewhere = objects.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'sluice');
    expect(elsewhere.map(({ metadata }) => metadata.name)).toEqual([]);
  });

  it.each(APPS)('has %s with its Service, account, policy and budget', (app) => {
    const kinds = objects.filter(({ metadata }) => metadata.name === app).map(({ kind }) => kind);
    const needed = ['Deployment', 'Service', 'ServiceAccount', 'NetworkPolicy', 'PodDisruptionBudget'];
    expect(kinds).toEqual(expect.arrayContaining(needed));
    const labels = namedObjects(objects, 'Deployment').get(app)?.['spec'].template.metadata.labels;
    for (const kind of ['Service', 'PodDisruptionBudget', 'NetworkPolicy']) {
      const { selector, podSelector } = namedObjects(objects, kind).get(app)?.['spec'] ?? {};
      expect(isSubset((podSelector ?? selector)?.matchLabels ?? selector, labels)).toBe(true);
    }
  });

  it('runs pods that can do little: no root, no token, nothing writable but volumes', () => {
    for (const { where, template } of templates) {
      const { spec, metadata } = template;
      const isOurs = metadata.labels['app.kubernetes.io/part-of'] === 'sluice';
      expect({ where, ...spec }).toMatchObject({
        where,
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
        if (isOurs) expect(securityContext.readOnlyRootFilesystem).toBe(true);
        expect(Object.keys(resources.requests).sort()).toEqual(['cpu', 'memory']);
        expect(resources.limits.memory).toEqual(expect.any(String));
      }
    }
  });

  it('names images of this version', () => {
    const images = templates
      .filter(({ template }) => template.metadata.labels['app.kubernetes.io/part-of'] === 'sluice')
      .flatMap(({ template }) => template.spec.containers.map(({ image }: { image: string }) => image));
    expect(images.length).toBeGreaterThan(APPS.length);
    for (const image of images) expect(image).toMatch(new RegExp(`sluice/[a-z-]+:${version.replaceAll('.', '\\.')}$`));
  });

  it('refers to ports, volumes and claims that are there', () => {
    for (const { where, template } of templates) {
      const volumes = new Set((template.spec.volumes ?? []).map(({ name }: { name: string }) => name));
      for (const container of template.spec.containers) {
        const ports = new Set((container.ports ?? []).map(({ name }: { name: string }) => name));
        const probed = ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((name) => {
          const { httpGet, tcpSocket } = container[name] ?? {};
          return [httpGet?.port, tcpSocket?.port].filter((port) => port !== undefined);
        });
        expect({ where, missing: probed.filter((port) => !ports.has(port)) }).toEqual({ where, missing: [] });
        const mounts = (container.volumeMounts ?? []).map(({ name }: { name: string }) => name);
        const unknown = mounts.filter((name: string) => !volumes.has(name) && name !== 'data');
        expect({ where, unknown }).toEqual({ where, unknown: [] });
      }
    }
    for (const [name, service] of namedObjects(objects, 'Service')) {
      const chosen = templates.filter(({ template }) => isSubset(service['spec'].selector, template.metadata.labels));
      const open = chosen.flatMap(({ template }) =>
        template.spec.containers.flatMap(({ ports }: { ports: { name: string }[] }) => ports.map((port) => port.name)),
      );
      const targets = service['spec'].ports.map(({ targetPort }: { targetPort: string }) => targetPort);
      expect({ name, missing: targets.filter((port: string) => !open.includes(port)) }).toEqual({
        name,
        missing: [],
      });
    }
  });

  it('sends what comes in to Services and ports that are there', () => {
    const services = namedObjects(objects, 'Service');
    for (const ingress of namedObjects(objects, 'Ingress').values()) {
      for (const { backend } of ingress['spec'].rules[0].http.paths) {
        const ports = services.get(backend.service.name)?.['spec'].ports.map(({ name }: { name: string }) => name);
        expect(ports).toContain(backend.service.port.name);
      }
    }
  });

  it('lets the ingress controller in where it sends something, and nowhere else', () => {
    const isController = ({ namespaceSelector }: { namespaceSelector?: { matchLabels: object } }) =>
      Object.values(namespaceSelector?.matchLabels ?? {}).includes('ingress-nginx');
    const open = APPS.filter((app) =>
      namedObjects(objects, 'NetworkPolicy')
        .get(app)
        ?.['spec'].ingress.some(({ from = [] }: { from?: object[] }) => from.some(isController)),
    );
    expect(open).toEqual([...namedObjects(objects, 'Ingress').keys()].sort());
  });

  it('refuses all traffic that no policy names', () => {
    const deny = namedObjects(objects, 'NetworkPolicy').get('default-deny');
    expect(deny?.['spec']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });
});

describeRendered('production', () => {
  const objects = renderOverlay('production');

  it('scales every app, on the processor or on a signal of its own', () => {
    const scalers = namedObjects(objects, 'HorizontalPodAutoscaler');
    expect([...scalers.keys()].sort()).toEqual(APPS);
    for (const [name, { spec }] of namedObjects(objects, 'HorizontalPodAutoscaler')) {
      expect(spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name });
      expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
    }
    for (const { spec } of namedObjects(objects, 'Deployment').values()) expect(spec).not.toHaveProperty('replicas');
  });

  it('is asked for its metrics at every app, as targets that are told from those of others', () => {
    const monitors = namedObjects(objects, 'ServiceMonitor');
    expect([...monitors.keys()].sort()).toEqual(APPS);
    for (const [name, { metadata, spec }] of monitors) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'sluice' });
      expect(spec.targetLabels).toContain('app.kubernetes.io/part-of');
      const labels = namedObjects(objects, 'Service').get(name)?.metadata.labels;
      expect(isSubset(spec.selector.matchLabels, labels)).toBe(true);
      expect(labels).toMatchObject({ 'app.kubernetes.io/part-of': 'sluice' });
    }
  });

  it('has no secret in it', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  it('starts no pod without the credentials of the brokers', () => {
    const optional = [...namedObjects(objects, 'Deployment')].flatMap(([app, { spec }]) =>
      spec.template.spec.containers.flatMap(({ envFrom }: { envFrom: readonly { secretRef?: SecretRef }[] }) =>
        envFrom.flatMap(({ secretRef }) => (secretRef?.optional ? [`${app}: ${secretRef.name}`] : [])),
      ),
    );
    expect(optional).toEqual(['sessions: sluice-files']);
  });
});

describeRendered('the component chains', () => {
  it('gives registry-watcher, and nobody else, the chains of a Secret', () => {
    const [without, withChains] = [
      [...namedObjects(renderOverlay('production'), 'Deployment')],
      namedObjects(renderWithComponent('production', 'chains'), 'Deployment'),
    ];
    const changed = without.filter(([name, object]) => JSON.stringify(object) !== JSON.stringify(withChains.get(name)));
    expect(changed.map(([name]) => name)).toEqual(['registry-watcher']);
    const spec = withChains.get('registry-watcher')?.['spec'].template.spec;
    const [{ env, volumeMounts }] = spec.containers;
    const { value } = env.find(({ name }: { name: string }) => name === 'SLUICE_CHAINS_FILE');
    const mount = volumeMounts.find(({ mountPath }: { mountPath: string }) => value.startsWith(`${mountPath}/`));
    expect(mount).toMatchObject({ readOnly: true });
    const volume = spec.volumes.find(({ name }: { name: string }) => name === mount.name);
    expect(volume.secret).toEqual({ secretName: 'sluice-chains' });
  });
});
