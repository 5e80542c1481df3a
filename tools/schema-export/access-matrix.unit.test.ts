import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECURITY_HEADERS } from '@sluice/service-runtime';
import { AccessProcess, nameOf, type Answer } from './access-process';
import { accessPage, CALLERS, OPERATIONS, rightOf, RIGHTS, type Caller, type Outcome } from './access-rules.cjs';
import { absent, namesWorkspace, requestOf } from './access-world';
import type { BadCaller, Callers, Presented } from './access-callers';
import { root } from './descriptions.cjs';
import { describedOperations, type DescribedOperation } from './described-process';

const operations = describedOperations();

const BAD_CALLERS: readonly BadCaller[] = [
  'none',
  'malformedKey',
  'unknownKey',
  'revokedKey',
  'expiredToken',
  'forgedToken',
  'unsignedToken',
  'keyInQuery',
  'keyAsStreamToken',
  'badKeyBesideGoodToken',
  'basic',
];

const isOpen = (operation: DescribedOperation): boolean => rightOf.get(nameOf(operation)) === 'anyone';

function rightOfOperation(operation: DescribedOperation) {
  const right = RIGHTS[rightOf.get(nameOf(operation)) ?? ''];
  if (right === undefined) throw new Error(`${nameOf(operation)} has no line in access-rules.cjs`);
  return right;
}

describe('the table of who may call what', () => {
  it('has one line for each operation of the API, and no other', () => {
    const lines = Object.values(OPERATIONS).flat();
    expect([...lines].sort()).toEqual(operations.map(nameOf).sort());
    expect(Object.keys(OPERATIONS).sort()).toEqual(Object.keys(RIGHTS).sort());
  });

  it('says of each operation what its description says', () => {
    const described = operations.map((operation) => ({
      name: nameOf(operation),
      isPublic: operation.security.length === 0,
      takesStreamTokens: operation.security.some((scheme) => 'streamToken' in scheme),
      isForOperators: operation['x-sluice-access'] === 'operator',
    }));
    const ofTable = operations.map((operation) => ({
      name: nameOf(operation),
      isPublic: ['anyone', 'signature'].includes(rightOf.get(nameOf(operation)) ?? ''),
      takesStreamTokens: !isOpen(operation) && rightOfOperation(operation).outcomes.stream === 'in',
      isForOperators: rightOf.get(nameOf(operation)) === 'operate',
    }));
    expect(described).toEqual(ofTable);
  });

  it('is the page docs/reference/access.md (npm run schemas)', () => {
    const page = readFileSync(join(root, 'docs', 'reference', 'access.md'), 'utf8');
    expect(unpadded(page)).toBe(unpadded(accessPage()));
  });
});

describe('each operation of the API, called by each kind of caller', () => {
  let running: AccessProcess;
  beforeAll(async () => {
    running = await AccessProcess.start();
  });
  afterAll(() => running.stop());

  /**
   * What each operation answers to a caller. Who is to be let in asks for what is not there, where it would change what
   * others need; who is to be refused asks for what is there.
   */
  async function answersTo(presented: Presented, expected: (operation: DescribedOperation) => Outcome) {
    const outcomes: Record<string, string> = {};
    for (const operation of operations) {
      const isReading = operation.method === 'GET' || operation.method === 'HEAD';
      const change = expected(operation) === 'in' && !isReading ? absent : undefined;
      const answer = await running.ask(operation, requestOf(operation, running.world, change), presented);
      outcomes[nameOf(operation)] = outcomeOf(operation, answer);
      if (answer.status !== 101) expect([nameOf(operation), answer.headers]).toEqual([nameOf(operation), HARDENED]);
    }
    return outcomes;
  }

  const table = (expected: (operation: DescribedOperation) => string) =>
    Object.fromEntries(operations.map((operation) => [nameOf(operation), expected(operation)]));

  it.each(Object.keys(CALLERS) as Caller[])('lets in, or refuses, as the table says: %s', async (caller) => {
    const expected = (operation: DescribedOperation) => rightOfOperation(operation).outcomes[caller];
    const answers = await answersTo(running.callers.good[caller], expected);
    expect(answers).toEqual(table((operation) => spelled(expected(operation))));
  });

  it.each(BAD_CALLERS)('refuses everything that is not open to everybody: %s', async (caller) => {
    const answers = await answersTo(running.callers.bad[caller], () => 401);
    const refusal = (operation: DescribedOperation) =>
      caller === 'expiredToken' && tellsExpiry(operation) ? '401 token_expired' : '401 unauthorized';
    expect(answers).toEqual(table((operation) => (isOpen(operation) ? 'in' : refusal(operation))));
  });

  it.each<[string, Caller, (callers: Callers) => Presented]>([
    ['a good key with a bad token beside it as that key', 'admin', ({ keyBesideBadToken }) => keyBesideBadToken],
    ['a stream token in the address as one in a header', 'stream', ({ streamTokenInQuery }) => streamTokenInQuery],
  ])('takes %s', async (_what, caller, presented) => {
    const expected = (operation: DescribedOperation) => rightOfOperation(operation).outcomes[caller];
    const answers = await answersTo(presented(running.callers), expected);
    expect(answers).toEqual(table((operation) => spelled(expected(operation))));
  });

  it('is asked for the workspace by name wherever a key of another one is refused for it', () => {
    const refused = operations.filter((operation) => rightOfOperation(operation).outcomes.foreign === 401);
    const unnamed = refused.filter((operation) => !namesWorkspace(requestOf(operation, running.world)));
    expect(unnamed.map(nameOf)).toEqual(OPERATIONS['signature']);
  });
});

/** How wide the columns of tables are set does not matter. */
const unpadded = (markdown: string): string =>
  markdown
    .replaceAll(/ *\| */g, '|')
    .replaceAll(/-{3,}/g, '---')
    .trim();

/** Of every answer; the doors of the registry have words of their own for the last two, by their contract. */
const HARDENED = {
  asymmetricMatch: (headers: Headers): boolean =>
    ['x-content-type-options', 'content-security-policy', 'cross-origin-resource-policy'].every(
      (name) => headers.get(name) === SECURITY_HEADERS[name],
    ) &&
    /^(?:no-referrer|strict-origin-when-cross-origin)$/.test(headers.get('referrer-policy') ?? '') &&
    /^no-(?:store|cache)/.test(headers.get('cache-control') ?? '') &&
    !headers.has('server') &&
    !headers.has('x-powered-by'),
};

/** The codes of refusals, as each form of errors writes them. */
const CODES: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'unauthorized',
  authentication_error: 'unauthorized',
  FORBIDDEN: 'forbidden',
  permission_error: 'forbidden',
};

/** `in` for an answer of the operation itself, or the status and the code of the refusal. */
function outcomeOf({ method, responses }: DescribedOperation, { status, code }: Answer): string {
  const isRefusal = [401, 403, 429].includes(status) || status >= 500;
  if (!isRefusal) return Object.hasOwn(responses, status) ? 'in' : `${status} is not described`;
  const spelledCode = method === 'HEAD' ? (status === 401 ? 'unauthorized' : 'forbidden') : (CODES[code] ?? code);
  return `${status} ${spelledCode}`;
}

const spelled = (outcome: Outcome): string =>
  outcome === 'in' ? 'in' : outcome === 401 ? '401 unauthorized' : '403 forbidden';

/** Not at a callback, which takes no tokens, and not where the form of errors has no word for it. */
function tellsExpiry({ method, path }: DescribedOperation): boolean {
  return method !== 'HEAD' && !NO_WORD_FOR_EXPIRY.test(path);
}

const NO_WORD_FOR_EXPIRY = /^\/(?:runtime\/v1|api\/v1|v1\/(?:agents|environments|files|sessions|vaults))(?:\/|$)/;
