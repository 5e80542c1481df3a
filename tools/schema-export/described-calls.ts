import { openApi, type HttpMethod } from '@sluice/api-description';
import { Ajv2020 } from 'ajv/dist/2020';
import {
  describedOperations,
  OPERATOR_KEY,
  startDescribedProcess,
  type DescribedOperation,
  type DescribedProcess,
} from './described-process';

/** Parsed JSON, which tests may look into. */
type Json = ReturnType<typeof JSON.parse>;

interface Call {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** JSON, or a form. */
  readonly body?: Json;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls operations of a process with all apps, and holds each answer against what the document says of it. */
export class DescribedCalls {
  private readonly operations = describedOperations();
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly tried = new Set<string>();

  private constructor(
    private readonly running: DescribedProcess,
    private readonly keys: { admin: string },
  ) {
    this.ajv.addSchema({ $id: 'document', ...openApi });
  }

  static async start(): Promise<DescribedCalls> {
    const calls = new DescribedCalls(await startDescribedProcess(), { admin: '' });
    const created = await calls.call('POST', '/v1/admin/keys', 201, {
      key: OPERATOR_KEY,
      body: { role: 'admin', name: 'described', workspaceId: 1 },
    });
    calls.keys.admin = created.apiKey;
    return calls;
  }

  stop(): Promise<void> {
    return this.running.stop();
  }

  /** Calls an operation and holds the answer against what the document says of that status. Gives what was answered. */
  async call(method: HttpMethod, path: string, status: number, options: Call = {}): Promise<Json> {
    const { params = {}, query = '', body, key = this.keys.admin, headers = {} } = options;
    const operation = this.operations.find((each) => each.method === method && each.path === path);
    if (!operation) throw new Error(`${method} ${path} is not described`);
    this.tried.add(`${method} ${path}`);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(params[name] ?? 'nothing'));
    const isForm = body instanceof FormData;
    const answer = await fetch(`${this.running.url}${filled}${query}`, {
      method,
      headers: {
        ...(key === '' ? {} : { 'x-api-key': key }),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect({ method, path, status: answer.status, text }).toMatchObject({ status });
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    if (method === 'HEAD') return undefined;
    if (!type.endsWith('json')) return text;
    const value: Json = JSON.parse(text);
    expect({ method, path, status, faults: this.faultsOf(operation, status, type, value) }).toMatchObject({
      faults: [],
    });
    return value;
  }

  /** The operations, of those that are asked for, that were not called. */
  untried(isAsked: (operation: DescribedOperation) => boolean): readonly string[] {
    const asked = this.operations.filter(isAsked).map(({ method, path }) => `${method} ${path}`);
    return asked.filter((operation) => !this.tried.has(operation));
  }

  private faultsOf({ path, method, responses }: DescribedOperation, status: number, type: string, value: Json) {
    if (responses[status]?.content?.[type] === undefined) return [`${status} ${type} is not described`];
    const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = this.ajv.compile({ $ref: `document#/${pointer}` });
    return validate(value) ? [] : validate.errors;
  }
}
