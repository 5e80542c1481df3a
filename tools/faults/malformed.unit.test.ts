import { openApi } from '@sluice/api-description';
import { malformedInput } from '../../regression/malformed-input';
import { requestOf, type World } from '../schema-export/access-world';
import { OperationsDocument, type Operation } from './malformed-document';
import { brokenBodies, hostileFields, hostileTexts } from './malformed-kinds';
import {
  callsOf,
  judgeAnswer,
  oversizeCalls,
  REFUSED_ROUNDS,
  type CallMakers,
  type OperationCall,
} from './malformed-operations';

const document = new OperationsDocument(openApi as never);

let marks = 0;
const newMark = () => `mark${marks++}`;

const world: World = {
  idsOf: () => new Proxy({}, { get: () => 'an-id' }),
  created: { agentId: 'an-agent', environmentId: 'an-environment' },
};
const makers: CallMakers = {
  document,
  world,
  newMark,
  credentialOf: () => ({}),
  sign: () => ({}),
  bodyOf: (operation) => requestOf(operation, world).body,
};

const operationOf = (method: string, path: string): Operation => {
  const found = document.operations.find((each) => each.method === method && each.path === path);
  if (!found) throw new Error(`${method} ${path}`);
  return found;
};

/** All that is sent to an operation in so many rounds. */
const allCallsOf = (operation: Operation, rounds = REFUSED_ROUNDS): readonly OperationCall[] =>
  Array.from({ length: rounds }, (_, round) => callsOf(operation, makers, round + 1)).flat();

describe('hostile kinds', () => {
  it('have a mark each', () => {
    const all = [
      ...hostileTexts(newMark),
      ...hostileFields({ a: { b: [1] } }, ['c'], newMark, 'x'),
      ...brokenBodies({}, newMark, 'x'),
    ];
    expect(new Set(all.map(({ mark }) => mark)).size).toBe(all.length);
  });

  it('stand in every field, and leave the others as they are', () => {
    const bodies = hostileFields({ a: { b: [1] }, d: 2 }, ['c'], newMark, 'x').map(({ name, bytes }) => [name, bytes]);
    const texts = Object.fromEntries(bodies) as Record<string, string>;
    expect(texts['a.b.0: no finite number']).toBe('{"a":{"b":[1e999]},"d":2}');
    expect(texts['d: missing']).toBe('{"a":{"b":[1]}}');
    expect(texts['c: empty list']).toBe('{"a":{"b":[1]},"d":2,"c":[]}');
    expect(texts['a: prototype']).toMatch(/^{"a":{"__proto__":{"mark\d+":1}},"d":2}$/);
    expect(texts['d: half a character']).toContain('\\ud800');
  });
});

describe('what is sent to the operations of the document', () => {
  it('is of every kind in each of its parameters and its body, whoever adds it', () => {
    const operation = operationOf('POST', '/v1/vaults/{vaultId}');
    const names = allCallsOf(operation).map(({ name }) => name);
    for (const { in: place, name } of operation.parameters ?? []) {
      const start = place === 'header' ? `header ${name}: ` : `${name} in the ${place}: `;
      expect(names.filter((each) => each.startsWith(start)).length).toBeGreaterThan(10);
    }
    for (const field of ['display_name', 'metadata']) {
      expect(names.filter((each) => each.startsWith(`body: ${field}: `)).length).toBeGreaterThan(20);
    }
  });

  it.each(['cluster', 'embedded'] as const)('is all of it, where nobody names the rounds: %s', (engine) => {
    const operation = operationOf('POST', '/v1/vaults/{vaultId}');
    const sent = new Set(allCallsOf(operation, malformedInput[engine]?.rounds).map(({ name }) => name));
    const all = new Set(allCallsOf(operation, REFUSED_ROUNDS).map(({ name }) => name));
    expect(sent).toEqual(all);
  });

  it('is oversize for each that takes a body', () => {
    const takers = document.operations.filter(({ requestBody }) => requestBody !== undefined);
    const poured = new Set<string>();
    for (const operation of takers) expect(oversizeCalls(operation, makers, poured).length).toBeGreaterThan(0);
    expect([...poured].sort()).toEqual([
      'ingest',
      'projector',
      'query',
      'sessions',
      'sse-stream',
      'webhooks',
      'workspace',
    ]);
  });

  it('has to be refused where the schema says so', () => {
    const calls = allCallsOf(operationOf('PATCH', '/api/tasks/{id}'));
    const must = (name: string) => calls.filter((call) => call.name === name).map(({ mustBeRefused }) => mustBeRefused);
    expect(must('body: status: negative')).toEqual([true]);
    expect(must('body: no JSON')).toEqual([true]);
    expect(must('workspaceId in the query: a word')).toEqual([true]);
    // In every round.
    expect(must('body: title: text')).toEqual(Array(REFUSED_ROUNDS).fill(false));
  });

  it('begins no rebuild and no erasure', () => {
    for (const path of ['/v1/admin/rebuild', '/v1/admin/erasures']) {
      expect(allCallsOf(operationOf('POST', path)).every(({ mustBeRefused }) => mustBeRefused)).toBe(true);
    }
  });
});

describe('an answer', () => {
  const operation = operationOf('GET', '/v1/events');
  const call = (change: Partial<OperationCall> = {}): OperationCall => ({
    operation,
    name: 'x',
    mark: 'm',
    input: { method: 'GET', path: '/', headers: {} },
    mustBeRefused: true,
    mayBeCut: false,
    ...change,
  });
  const json = (status: number, value: unknown) => ({ status, type: 'application/json', text: JSON.stringify(value) });
  const refusal = { success: false, error: 'no', code: 'invalid_request', requestId: 'r' };
  const judge = (answer: Parameters<typeof judgeAnswer>[1], change?: Partial<OperationCall>) =>
    judgeAnswer(call(change), answer, document);

  it('is a refusal in the form that is described', () => {
    expect(judge(json(400, refusal))).toBe('refused');
    expect(judge(json(400, { message: 'no' }))).toEqual({ wrong: expect.stringContaining('another form') });
    expect(judge(json(418, refusal))).toEqual({ wrong: expect.stringContaining('not described') });
    expect(judge({ status: 400, type: 'text/html', text: '<p>' })).toEqual({
      wrong: expect.stringContaining('no JSON'),
    });
  });

  it('is a refusal without words only for a head that is too large', () => {
    expect(judge({ status: 431, type: '', text: '' })).toBe('refused');
    expect(judge({ status: 400, type: '', text: '' })).toHaveProperty('wrong');
  });

  it('is never a fault of the server, nothing, or a refusal for another reason', () => {
    expect(judge(json(500, refusal))).toHaveProperty('wrong');
    expect(judge(json(503, refusal), { mustBeRefused: false })).toHaveProperty('wrong');
    expect(judge(json(429, refusal))).toHaveProperty('wrong');
    expect(judge({ status: 'no answer', type: '', text: '' })).toHaveProperty('wrong');
  });

  it('takes nothing that has to be refused', () => {
    expect(judge(json(200, {}))).toHaveProperty('wrong');
    expect(judge(json(200, {}), { mustBeRefused: false })).toBe('taken');
  });

  it('may be a cut only where the server need not read on', () => {
    const cut = { status: 'closed', type: '', text: '' } as const;
    expect(judge(cut)).toHaveProperty('wrong');
    expect(judge(cut, { mayBeCut: true })).toBe('refused');
  });
});
