import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';
import type { DescribedOperation } from '../schema-export/described-process';

type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly schema: Schema;
}

/** One operation of the document of a system. */
export interface Operation extends Omit<DescribedOperation, 'parameters' | 'requestBody'> {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const HEAD_TOO_LARGE = 431;

/** Why a path, a parameter or bytes are refused before an operation is found, which no operation tells of. */
const STATUSES_OF_NO_OPERATION: ReadonlySet<number> = new Set([400, 404, 413, 415, HEAD_TOO_LARGE]);

/** The document that a system serves of its operations: what they are, what they take, and how they refuse. */
export class OperationsDocument {
  readonly operations: readonly Operation[];
  private readonly bodies = new Ajv2020({ strict: false, validateFormats: false });
  /** Parameters come as text. */
  private readonly parameters = new Ajv2020({ strict: false, validateFormats: false, coerceTypes: true });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(private readonly document: OpenApi) {
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => ({ method: method.toUpperCase(), path, ...operation }) as Operation,
      ),
    );
    for (const ajv of [this.bodies, this.parameters]) ajv.addSchema({ $id: 'document', ...document });
  }

  static async of(baseUrl: string): Promise<OperationsDocument> {
    const response = await fetch(`${baseUrl}/openapi.json`);
    return new OperationsDocument((await response.json()) as OpenApi);
  }

  /** Whether a parameter may have this value. A list stands for one that is named more than once. */
  allows(operation: Operation, parameter: Parameter, value: string | readonly string[]): boolean {
    const index = operation.parameters?.indexOf(parameter) ?? -1;
    const validate = this.validator(this.parameters, [...placeOf(operation), 'parameters', String(index), 'schema']);
    // Types are coerced in place.
    return validate(structuredClone(value));
  }

  /** Whether bytes are a body of this type that the operation takes. */
  takes(operation: Operation, contentType: string, bytes: string | Buffer): boolean {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes)));
    } catch {
      return false;
    }
    const place = [...placeOf(operation), 'requestBody', 'content', contentType, 'schema'];
    const isCloudEvents = contentType.includes('cloudevents');
    return this.validator(this.bodies, place)(isCloudEvents ? withoutNulls(value) : value);
  }

  /** The fields that a body of this type may have at the top. */
  fieldsOf(operation: Operation, contentType: string): readonly string[] {
    const names = new Set<string>();
    const look = (schema: Schema | undefined): void => {
      if (typeof schema?.['$ref'] === 'string') look(this.resolve(schema['$ref']));
      for (const name of Object.keys(schema?.['properties'] ?? {})) names.add(name);
      for (const each of ['anyOf', 'oneOf', 'allOf']) for (const part of (schema?.[each] ?? []) as Schema[]) look(part);
    };
    look(operation.requestBody?.content[contentType]?.schema);
    return [...names];
  }

  /** What is wrong with the form of a refusal; undefined where it is as the document says. */
  faultOfRefusal(operation: Operation, status: number, type: string, text: string): string | undefined {
    if (operation.method === 'HEAD') return undefined;
    // A head that is too large does not get past the proxy of a cluster, which has no words of ours.
    if (status === HEAD_TOO_LARGE && text === '') return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'a refusal that is no JSON';
    }
    const described = operation.responses[status]?.content?.[type];
    if (described !== undefined) {
      const place = [...placeOf(operation), 'responses', String(status), 'content', type, 'schema'];
      return this.validator(this.bodies, place)(value) ? undefined : 'a refusal in another form than is described';
    }
    if (!STATUSES_OF_NO_OPERATION.has(status)) return 'a status that is not described';
    const forms = Object.keys(this.document.components.schemas).filter((name) => /^Error\b/.test(name));
    const isForm = forms.some((name) => this.validator(this.bodies, ['components', 'schemas', name])(value));
    return isForm ? undefined : 'a refusal in no form that is described';
  }

  private resolve(pointer: string): Schema | undefined {
    const parts = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    return parts.reduce<unknown>(
      (value, part) => (value as Record<string, unknown> | undefined)?.[part],
      this.document,
    ) as Schema | undefined;
  }

  private validator(ajv: Ajv2020, place: readonly string[]): ValidateFunction {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const key = `${ajv === this.bodies ? 'body' : 'parameter'} ${pointer}`;
    const known = this.compiled.get(key) ?? ajv.compile({ $ref: `document#/${pointer}` });
    this.compiled.set(key, known);
    return known;
  }
}

/** In the JSON format of CloudEvents an attribute that is null is one that is not there. */
function withoutNulls(value: unknown): unknown {
  const without = (event: unknown): unknown =>
    typeof event === 'object' && event !== null && !Array.isArray(event)
      ? Object.fromEntries(Object.entries(event).filter(([, attribute]) => attribute !== null))
      : event;
  return Array.isArray(value) ? value.map(without) : without(value);
}

const placeOf = ({ path, method }: Operation): readonly string[] => ['paths', path, method.toLowerCase()];
