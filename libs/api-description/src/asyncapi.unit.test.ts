import { defineEventType, EventCatalogue, eventCatalogue, recordedEventSchema } from '@sluice/event-schema';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { invalidities } from '../test/validity';
import { asyncApiDocument, messageNameOf } from './asyncapi';
import { defineChannel, type ChannelDescription } from './channel';

const flow = defineChannel({
  name: 'flow',
  address: '/v1/flow',
  app: 'sse-stream',
  protocol: 'sse',
  summary: 'Everything.',
  query: z.strictObject({ cursor: z.string().optional() }),
  families: ['sandbox'],
  messages: {
    reset: { summary: 'Anew.', direction: 'send', payload: z.object({ reason: z.string() }) },
    event: { summary: 'Any event.', direction: 'send', payload: recordedEventSchema },
  },
});
const talk = defineChannel({
  name: 'talk',
  address: '/v1/talk',
  app: 'sse-stream',
  protocol: 'ws',
  summary: 'Both ways.',
  query: z.strictObject({ token: z.string().optional() }),
  messages: {
    say: { summary: 'In.', direction: 'receive', payload: z.object({ text: z.string().max(10) }) },
    pong: { summary: 'Out.', direction: 'send', payload: z.literal('pong'), contentType: 'text/plain' },
  },
});
const lines = defineChannel({
  name: 'lines',
  address: 'sandbox:{sandboxId}',
  app: 'pubsub-tcp',
  protocol: 'tcp',
  summary: 'Lines.',
  messages: { line: { summary: 'A line.', direction: 'send', payload: z.string() } },
});
const all: readonly ChannelDescription[] = [talk, lines, flow];
const make = (channels = all, catalogue = eventCatalogue) =>
  asyncApiDocument(catalogue, channels, '1.2.3') as unknown as Document;

interface Document {
  readonly channels: Readonly<Record<string, Readonly<Record<string, unknown>> & { readonly messages: object }>>;
  readonly operations: Readonly<Record<string, { readonly messages: readonly { readonly $ref: string }[] }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly messages: Readonly<Record<string, { readonly payload: object }>>;
  };
}

describe('asyncApiDocument', () => {
  it('is valid AsyncAPI 3.0, and a fault in it is found', () => {
    expect(invalidities.asyncApi(make())).toEqual([]);
    expect(invalidities.asyncApi({ ...make(), operations: { a: { action: 'shout' } } })).not.toEqual([]);
  });

  it('is the same for the same channels in any order', () => {
    expect(JSON.stringify(make([...all].reverse()))).toBe(JSON.stringify(make()));
  });

  it('says what goes out and what comes in', () => {
    const { operations } = make();
    const names = (operation: string) => operations[operation]?.messages.map(({ $ref }) => $ref.split('/').at(-1));
    expect(Object.keys(operations)).toEqual(['flow.send', 'lines.send', 'talk.receive', 'talk.send']);
    expect(names('talk.receive')).toEqual(['say']);
    expect(names('talk.send')).toEqual(['pong']);
    expect(names('flow.send')).toContain('event.sandbox.custom');
    expect(operations['flow.send']).toHaveProperty('bindings.http.query.properties.cursor');
    expect(make().channels['talk']).toHaveProperty('bindings.ws.query.properties.token');
    expect(make().channels['lines']).toMatchObject({ parameters: { sandboxId: {} } });
  });

  it('has a message for every event type, which accepts such events and no others', () => {
    const name = { family: 'session', type: 'a/b', description: 'Made up.' } as const;
    const catalogue = new EventCatalogue([defineEventType(name, z.object({ a: z.int() }))]);
    const document = make([{ ...flow, families: ['session'] }], catalogue);
    const message = messageNameOf(name);
    expect(message).toBe('event.session.a_b');
    expect(document.channels['flow']?.messages).toHaveProperty([message]);
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', components: document.components });
    const validate = ajv.compile({ $ref: `document#/components/messages/${message}/payload` });
    const event = {
      id: '01a1fe01-6240-73e6-8f05-0efe9e01e202',
      family: 'session',
      entityId: 'session-1',
      workspaceId: 1,
      type: 'a/b',
      schemaVersion: 1,
      occurredAt: 1,
      data: { a: 1 },
      position: 1,
      entitySequence: 1,
      recordedAt: 1,
    };
    expect(validate(event)).toBe(true);
    expect(validate({ ...event, data: { a: 'x' } })).toBe(false);
    expect(validate({ ...event, type: 'a/c' })).toBe(false);
    expect(validate({ ...event, position: undefined })).toBe(false);
  });

  it('refuses two channels of one name', () => {
    expect(() => make([flow, flow])).toThrow('Two channels');
  });
});
