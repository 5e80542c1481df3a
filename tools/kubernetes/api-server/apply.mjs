import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { goModuleFolder } from '../go-modules.mjs';
import { PROMETHEUS_OPERATOR_VERSION } from '../versions.mjs';

const NAMESPACE = 'sluice';
const COMMAND_TIMEOUT_MS = 120_000;
const CUSTOM_KINDS = ['servicemonitors', 'prometheusrules'];

/**
 * Applies one overlay to an API server, as `kubectl apply --server-side` does, with strict validation. Pods are made by
 * controllers, which are not here: the pod of each workload is sent by itself, as a dry run, so that admission judges it.
 *
 * @param {{ kubeconfig: string, overlay: string }} options the overlay's folder
 * @returns {Promise<{ accepted: ReadonlyMap<string, number>, admittedPods: number, complaints: readonly string[] }>}
 *   by kind, how many objects were accepted; and every refusal and warning, in the server's words
 */
export async function applyOverlay({ kubeconfig, overlay }) {
  const kubectl = (args, input) => runKubectl(['--kubeconfig', kubeconfig, ...args], input);
  const rendered = await runKubectl(['kustomize', overlay]);
  if (rendered.code !== 0) throw new Error(`${overlay} cannot be rendered:\n${rendered.errors}`);
  const applied = await kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], rendered.output);
  const accepted = new Map();
  for (const [, kind] of applied.output.matchAll(/^([a-z]+)[\w.]*\/\S+ serverside-applied$/gm)) {
    accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
  }
  const pods = await podsOf(kubectl);
  const tried = await Promise.all(pods.map((pod) => kubectl(['create', '--dry-run=server', '-f', '-'], pod)));
  const complaints = [applied, ...tried].flatMap(({ errors }) =>
    errors.split('\n').filter((line) => line.trim() !== ''),
  );
  return { accepted, admittedPods: tried.filter(({ code }) => code === 0).length, complaints };
}

/** Makes the kinds of the Prometheus operator known to the server, and waits until it serves them. */
export async function applyCustomKinds(kubeconfig) {
  const module = 'github.com/prometheus-operator/prometheus-operator';
  const folder = join(await goModuleFolder(module, PROMETHEUS_OPERATOR_VERSION), 'example', 'prometheus-operator-crd');
  for (const plural of CUSTOM_KINDS) {
    const file = join(folder, `monitoring.coreos.com_${plural}.yaml`);
    await required(['--kubeconfig', kubeconfig, 'apply', '--server-side', '-f', file]);
  }
  const names = CUSTOM_KINDS.map((plural) => `crd/${plural}.monitoring.coreos.com`);
  await required(['--kubeconfig', kubeconfig, 'wait', '--for=condition=Established', '--timeout=60s', ...names]);
}

async function podsOf(kubectl) {
  const { output } = await kubectl(['get', 'deployments,statefulsets,jobs', '-n', NAMESPACE, '-o', 'json']);
  return JSON.parse(output).items.map(({ kind, metadata, spec: { template, volumeClaimTemplates = [] } }) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${kind.toLowerCase()}-${metadata.name}`,
        namespace: NAMESPACE,
        labels: template.metadata.labels,
      },
      spec: {
        ...template.spec,
        // As the controller of stateful sets does it.
        volumes: [
          ...(template.spec.volumes ?? []),
          ...volumeClaimTemplates.map(({ metadata: { name } }) => ({
            name,
            persistentVolumeClaim: { claimName: name },
          })),
        ],
      },
    }),
  );
}

async function required(args) {
  const { code, errors } = await runKubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed:\n${errors}`);
}

function runKubectl(args, input = '') {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL' });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
    child.once('error', (error) => reject(new Error(`kubectl cannot be run: ${error.message}`)));
    child.once('close', (code) => resolve({ code, output, errors }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
