import { FeedEvent } from '@sluice/delivery';
import { newEpoch, SluiceError, toPosition } from '@sluice/event-log';
import { encodeEnvelope, newEventId, recordEnvelope, WORKSPACE_FORMATS, type EventFamily } from '@sluice/event-schema';
import { SseEncodeError, SseParser, type SseOutput } from '@sluice/sse-protocol';
import fc from 'fast-check';
import { RegistryDialect } from '../src/http/registry/registry-dialect';
import { readRegistryQuery } from '../src/http/registry/registry-query';
import type { SseDialect } from '@sluice/event-streams';
import { streamDialect } from '../src/http/stream/stream-dialect';
import { workspaceDialects } from '../src/http/workspace/workspace-dialects';

const epoch = newEpoch();
const at = { epoch, position: toPosition(7) };

/** Text that would break a frame if anybody let it. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        '\0',
        '\u2028',
        '\u2029',
        '\u0085',
        '\ufeff',
        '\ud800',
        'data: x',
        'id: 1',
        'event: end',
        'retry: 1',
        ':',
        ' ',
        'x',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

const dialects: readonly (readonly [string, EventFamily, () => SseDialect])[] = [
  ['/v1/stream', 'sandbox', () => streamDialect],
  ['/api/v1/events', 'registry', () => new RegistryDialect({})],
  ...WORKSPACE_FORMATS.map(
    (format) => [`/api/events, ${format}`, 'workspace', () => workspaceDialects[format]] as const,
  ),
];

function parse(bytes: Buffer): SseOutput[] {
  return new SseParser().feed(bytes);
}

function feedEvent(
  family: EventFamily,
  over: { entityId?: string; type?: string; data?: Record<string, unknown> },
): FeedEvent {
  const envelope = encodeEnvelope({
    id: newEventId(),
    family,
    workspaceId: 1,
    entityId: 'entity',
    type: 'task_created',
    schemaVersion: 1,
    occurredAt: 1,
    data: {},
    ...over,
  });
  return new FeedEvent(recordEnvelope(envelope, { position: toPosition(8), entitySequence: 1, recordedAt: 1 }), epoch);
}

describe.each(dialects)('no frame of %s can be broken', (_door, family, dialect) => {
  it('by data, names of fields or ids of entities', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (text, name, entityId) => {
        const data = {
          agentId: text,
          task_id: text,
          title: text,
          name: text,
          changes: [text],
          [name]: { [name]: text },
        };
        const event = feedEvent(family, { data, entityId });
        const outputs = parse(dialect().events([event, event]));
        expect(outputs).toHaveLength(2);
        for (const output of outputs) expect(output).toMatchObject({ kind: 'event', lastEventId: event.cursor });
        const [first] = outputs;
        expect(first?.kind === 'event' && JSON.parse(first.data)).toEqual(expect.any(Object));
      }),
      { numRuns: 300 },
    );
  });

  it('by types: one that could is written by nobody', () => {
    fc.assert(
      fc.property(hostile, (type) => {
        const event = feedEvent(family, { type });
        let outputs: SseOutput[];
        try {
          outputs = parse(dialect().events([event]));
        } catch (error) {
          expect(error).toBeInstanceOf(SseEncodeError);
          return;
        }
        expect(type).not.toMatch(/[\r\n\0]/);
        expect(outputs).toMatchObject([{ kind: 'event', lastEventId: event.cursor }]);
      }),
      { numRuns: 300 },
    );
  });

  it('by the words of the server', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const one = dialect();
        const end = parse(one.end(new SluiceError('internal', text), at));
        expect(end).toMatchObject([{ kind: 'event', type: 'end' }]);
        expect(end[0]?.kind === 'event' && JSON.parse(end[0].data)).toMatchObject({ message: text });
        expect(parse(one.reset(text, at))).toMatchObject([{ kind: 'event', type: 'reset' }]);
        const opening = parse(one.opening({ retryMs: 1, at, resetReason: text }));
        expect(opening.filter(({ kind }) => kind === 'event').map((output) => 'type' in output && output.type)).toEqual(
          family === 'registry' ? ['connected', 'reset'] : ['reset'],
        );
      }),
      { numRuns: 200 },
    );
  });
});

it('no filter that is echoed breaks the frame of connected', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (agentIds, eventTypes, chainIds) => {
      const { filters } = readRegistryQuery({ agentIds, eventTypes, chainIds, reputation: agentIds });
      const outputs = parse(new RegistryDialect(filters).opening({ retryMs: 1, at }));
      expect(outputs.map(({ kind }) => kind)).toEqual(['retry', 'event', 'mark']);
      const connected = outputs[1];
      expect(connected?.kind === 'event' && JSON.parse(connected.data).filters).toEqual(
        JSON.parse(JSON.stringify(filters)),
      );
    }),
    { numRuns: 500 },
  );
});

it('each event is encoded once for all subscribers of a dialect', () => {
  const event = feedEvent('registry', { type: 'agent_updated' });
  const [one, other] = [new RegistryDialect({}), new RegistryDialect({ reputation: true })];
  expect(one.events([event])).toBe(other.events([event]));
  const written = WORKSPACE_FORMATS.map((format) => workspaceDialects[format].events([event]));
  expect(new Set(written).size).toBe(WORKSPACE_FORMATS.length);
  for (const [index, format] of WORKSPACE_FORMATS.entries()) {
    expect(workspaceDialects[format].events([event])).toBe(written[index]);
  }
});
