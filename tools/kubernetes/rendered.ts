import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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

/** Tests of what is rendered: without kubectl they are counted as skipped. */
export const describeRendered = hasKubectl() ? describe : xdescribe;

/** All objects of an overlay, as `kubectl apply -k` would send them. @throws Error with what kustomize says */
export function renderOverlay(overlay: Overlay): readonly KubernetesObject[] {
  return render(join(ROOT, 'k8s', 'overlays', overlay));
}

/** The same of an overlay of somebody's own that is another one and a component. @throws Error with what kustomize says */
export function renderWithComponent(overlay: Overlay, component: string): readonly KubernetesObject[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-overlay-'));
  const pathTo = (...parts: readonly string[]) => relative(folder, join(ROOT, 'k8s', ...parts));
  try {
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [pathTo('overlays', overlay)],
      components: [pathTo('components', component)],
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Nothing without kubectl, for tests that are skipped then. */
function render(folder: string): readonly KubernetesObject[] {
  if (!hasKubectl()) return [];
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
