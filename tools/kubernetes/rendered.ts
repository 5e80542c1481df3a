import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const ROOT = join(__dirname, '..', '..');
export const OVERLAYS = ['dev', 'production'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** Parsed YAML, which tests may look into. */
type Parsed = ReturnType<typeof JSON.parse>;

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: Parsed;
}

/** Whether this machine can render overlays. */
export function hasKubectl(): boolean {
  return spawnSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' }).status === 0;
}

/** All objects of an overlay, as `kubectl apply -k` would send them. @throws Error with what kustomize says */
export function renderOverlay(overlay: Overlay): readonly KubernetesObject[] {
  const folder = join(ROOT, 'k8s', 'overlays', overlay);
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder} failed: ${stderr}`);
  return parseObjects(stdout);
}

/** @throws Error for what is no YAML */
export function parseObjects(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(error.message, { cause: error });
    return document.toJSON() as KubernetesObject;
  });
}

/** The pod template of what makes pods; undefined for all else. */
export function podTemplateOf({ spec }: KubernetesObject): Parsed | undefined {
  return spec?.template?.spec?.containers === undefined ? undefined : spec.template;
}

/** The objects of one kind by their names. */
export function namedObjects(
  objects: readonly KubernetesObject[],
  kind: string,
): ReadonlyMap<string, KubernetesObject> {
  return new Map(objects.filter((object) => object.kind === kind).map((object) => [object.metadata.name, object]));
}
