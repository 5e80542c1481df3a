import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { ROOT, type KubernetesObject } from './rendered';

interface SchemaFile {
  readonly kinds: Readonly<Record<string, object>>;
  readonly definitions?: Readonly<Record<string, object>>;
}

const METADATA = '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Holds objects against the schemas in k8s/schemas: a field that Kubernetes does not know is a fault. */
export class StrictSchemas {
  private readonly ajv = new Ajv({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor() {
    const kubernetes = readSchemas('kubernetes.json');
    const custom = readSchemas('prometheus-operator.json');
    const add = (kind: string, schema: object) =>
      this.validators.set(kind, this.ajv.compile({ ...schema, definitions: kubernetes.definitions }));
    for (const [kind, schema] of Object.entries(kubernetes.kinds)) add(kind, { allOf: [schema] });
    for (const [kind, schema] of Object.entries(custom.kinds)) {
      add(kind, { allOf: [schema, { properties: { metadata: { $ref: METADATA } } }] });
    }
  }

  /** What is wrong with the object, one line each; nothing where all is well. */
  faultsOf(object: KubernetesObject): readonly string[] {
    const kind = `${object.apiVersion}/${object.kind}`;
    const where = `${object.kind} ${object.metadata.name}`;
    const validate = this.validators.get(kind);
    if (validate === undefined) return [`${where}: there is no schema of ${kind}`];
    validate(object);
    return (validate.errors ?? []).map((error) => `${where}: ${describe(error)}`);
  }
}

function readSchemas(name: string): SchemaFile {
  return JSON.parse(readFileSync(join(ROOT, 'k8s', 'schemas', name), 'utf8')) as SchemaFile;
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty: field } = params as { readonly additionalProperty?: string };
  return field === undefined ? `${instancePath} ${message}` : `${instancePath}/${field} is no field`;
}
