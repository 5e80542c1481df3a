// Makes the schemas in k8s/schemas from the Go modules of Kubernetes and of the Prometheus operator: needs Go. They are
// kept in the repository so that the manifests can be checked without a network.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { root } from '../set-up.mjs';
import { goModuleFolder } from './go-modules.mjs';
import { customKindSchema, kubernetesSchema } from './schemas.mjs';
import { KUBERNETES_VERSION, PROMETHEUS_OPERATOR_VERSION } from './versions.mjs';

/** Every kind that may stand in a manifest of ours. */
const KINDS = [
  'apps/v1/Deployment',
  'apps/v1/StatefulSet',
  'autoscaling/v2/HorizontalPodAutoscaler',
  'batch/v1/Job',
  'networking.k8s.io/v1/Ingress',
  'networking.k8s.io/v1/NetworkPolicy',
  'policy/v1/PodDisruptionBudget',
  'v1/ConfigMap',
  'v1/Namespace',
  'v1/PersistentVolumeClaim',
  'v1/Secret',
  'v1/Service',
  'v1/ServiceAccount',
];

const CUSTOM_KINDS = ['servicemonitors', 'prometheusrules'];

const readJson = async (...path) => JSON.parse(await readFile(join(...path), 'utf8'));

async function write(name, schema) {
  const file = join(root, 'k8s', 'schemas', name);
  const options = await resolveConfig(file);
  await mkdir(join(root, 'k8s', 'schemas'), { recursive: true });
  await writeFile(file, await format(JSON.stringify(schema), { ...options, filepath: file }));
  console.log(`wrote k8s/schemas/${name}`);
}

const kubernetes = await goModuleFolder('k8s.io/kubernetes', KUBERNETES_VERSION);
const swagger = await readJson(kubernetes, 'api', 'openapi-spec', 'swagger.json');
await write('kubernetes.json', kubernetesSchema(swagger, KINDS, KUBERNETES_VERSION));

const operator = await goModuleFolder(
  'github.com/prometheus-operator/prometheus-operator',
  PROMETHEUS_OPERATOR_VERSION,
);
const customKinds = CUSTOM_KINDS.map((plural) =>
  readJson(operator, 'jsonnet', 'prometheus-operator', `${plural}-crd.json`),
);
await write('prometheus-operator.json', customKindSchema(await Promise.all(customKinds), PROMETHEUS_OPERATOR_VERSION));
