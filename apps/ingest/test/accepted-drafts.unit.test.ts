import { createAccessControl, MemoryApiKeyStore, accessConfigSchema, type Principal } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { encodeEnvelope, eventEnvelopeSchema } from '@sluice/event-schema';
import fc from 'fast-check';
import { draftFromCloudEvent, draftsFromCloudEvents } from '../src/http/cloud-event-drafts';
import { draftsFromNative, type RequestContext } from '../src/http/event-drafts';
import type { EventDraft } from '../src/store-events';
import { OPERATOR_KEY } from './ingest-service';

const principals: Principal[] = [
  { kind: 'sandbox', sandboxId: 'sandbox-123', workspaceId: 1, expiresAt: 4e12 },
  { kind: 'api_key', keyId: 'k', workspaceId: 1, role: 'writer', limits: {} },
  { kind: 'api_key', keyId: 'o', workspaceId: null, role: 'operator', limits: {} },
];

/** Mostly what fits, so that many drafts are accepted, and now and then what may not. */
const mostly = (good: fc.Arbitrary<unknown>, odd: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 14, arbitrary: good }, { weight: 1, arbitrary: odd });

const oddName = fc.oneof(
  fc.constantFrom('', 'a b', 'a\r\nb', '\ud800', '__proto__', '\u0000', '\u2028', 'x'.repeat(257)),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.anything(),
);
const goodName = fc.oneof(
  fc.constantFrom('custom', 'execution.completed', 'a/b', '🐚', 'ü'),
  fc.stringMatching(/^[!-~]{1,40}$/),
);
const name = mostly(goodName, oddName);
const sandboxId = mostly(fc.constant('sandbox-123'), name);
const data = mostly(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.anything());
const oddNumber = fc.oneof(fc.constantFrom(-1, 1.5, 2 ** 31, 8.64e15, 1e300), fc.double());
const timestamp = mostly(fc.nat(), oddNumber);

/** A record with some of these fields, now and then one too many, as it is after a way through JSON. */
const record = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]) =>
  fc
    .tuple(fc.record(fields, { requiredKeys }), mostly(fc.constant({}), fc.dictionary(fc.string(), fc.jsonValue())))
    .map(([known, more]): unknown => JSON.parse(JSON.stringify({ ...Object(more), ...known })));

const nativeEvent = record(
  {
    type: name,
    data,
    sandboxId,
    workspaceId: mostly(fc.constant(1), oddNumber),
    timestamp,
    idempotencyKey: mostly(fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }), oddName),
    correlationId: name,
    causationId: name,
  },
  ['type', 'sandboxId', 'workspaceId'],
);

const cloudEvent = record(
  {
    specversion: mostly(fc.constant('1.0'), fc.constant('0.3')),
    id: mostly(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), oddName),
    source: mostly(
      fc.constant('/sandbox/1/sandbox-123'),
      fc.oneof(fc.constantFrom('/runner', '/sandbox/99999999999/x', '/sandbox/1/%zz', '/session/1/x'), oddName),
    ),
    type: name,
    subject: sandboxId,
    time: mostly(
      fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date(253_402_300_799_999) })
        .map((at) => at.toISOString()),
      fc.constantFrom('2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999-23:59', 'x'),
    ),
    datacontenttype: mostly(fc.constantFrom('application/json', 'application/vnd.x+json'), fc.constant('text/plain')),
    data,
    correlationid: name,
    causationid: name,
    traceparent: mostly(fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`), fc.string()),
  },
  ['specversion', 'id', 'source', 'type'],
);

/** The drafts, or none when the door refuses; it may refuse only with an error of ours. */
function accepted(door: () => readonly EventDraft[]): readonly EventDraft[] {
  try {
    return door();
  } catch (error) {
    if (error instanceof SluiceError && error.status >= 400 && error.status < 500) return [];
    throw error;
  }
}

let acceptedCount = 0;

function expectStorable(drafts: readonly EventDraft[], principal: Principal): void {
  for (const { envelope } of drafts) {
    acceptedCount++;
    const { event, json } = encodeEnvelope(envelope);
    // As the projector will read it.
    const read: unknown = JSON.parse(json);
    expect(eventEnvelopeSchema.safeParse(read).error).toBeUndefined();
    expect(json).not.toMatch(/[\r\n]/);
    expect(JSON.parse(JSON.stringify(event))).toEqual(read);
    if (principal.workspaceId !== null) expect(event.workspaceId).toBe(principal.workspaceId);
    if (principal.kind === 'sandbox') expect(event.entityId).toBe(principal.sandboxId);
  }
}

const context = fc.record({
  principal: fc.constantFrom(...principals),
  nowMs: fc.constant(1_800_000_000_000),
  idempotencyKey: fc.option(fc.string({ minLength: 1, maxLength: 256 }), { nil: undefined }),
});

describe('every draft that a door accepts fits the envelope schema, and stays with its caller (G7, G8)', () => {
  beforeEach(() => {
    acceptedCount = 0;
  });
  // A property that refuses everything would prove nothing.
  afterEach(() => expect(acceptedCount).toBeGreaterThan(200));

  const check = (
    body: fc.Arbitrary<unknown>,
    door: (value: unknown, request: RequestContext) => readonly EventDraft[],
  ) =>
    fc.assert(
      fc.property(body, context, (value, request) => {
        expectStorable(
          accepted(() => door(value, request)),
          request.principal,
        );
      }),
      { numRuns: 500 },
    );

  it('native', () => check(nativeEvent, (body, request) => draftsFromNative(body, request).drafts));
  it('native, in a batch', () =>
    check(
      fc.array(nativeEvent, { minLength: 1, maxLength: 2 }).map((events) => ({ events })),
      (body, request) => draftsFromNative(body, request).drafts,
    ));
  it('CloudEvents', () => check(cloudEvent, (body, request) => [draftFromCloudEvent(body, request)]));
  it('CloudEvents, in a batch', () =>
    check(fc.array(cloudEvent, { minLength: 1, maxLength: 2 }), (body, request) =>
      draftsFromCloudEvents(body, request),
    ));
});

it('refuses anything at all with an error of ours', async () => {
  const access = await createAccessControl(
    accessConfigSchema.parse({ operatorKeys: [{ name: 'operator', apiKey: OPERATOR_KEY }] }),
    new MemoryApiKeyStore(),
  );
  const principal = await access.authenticate({ apiKey: OPERATOR_KEY });
  const request = { principal, nowMs: 0 };
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: false }), (value) => {
      accepted(() => draftsFromNative(value, request).drafts);
      accepted(() => [draftFromCloudEvent(value, request)]);
      accepted(() => draftsFromCloudEvents(value, request));
    }),
    { numRuns: 500 },
  );
});
