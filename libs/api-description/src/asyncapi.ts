import { type EventCatalogue, type EventTypeDefinition } from '@sluice/event-schema';
import type { ChannelDescription, ChannelMessage, ChannelProtocol } from './channel';
import { eventDataName, nameEvents } from './components';
import type { JsonObject, JsonValue } from './json';
import { SchemaWriter } from './json-schema';

const SERVERS: Readonly<Record<ChannelProtocol, JsonObject>> = {
  sse: {
    host: 'localhost:8080',
    protocol: 'http',
    description: 'Server-sent events, where the one-process app listens by default; `https` behind an Ingress.',
  },
  ws: { host: 'localhost:8080', protocol: 'ws', description: 'WebSocket, on the same port; `wss` behind an Ingress.' },
  tcp: { host: 'localhost:6380', protocol: 'tcp', description: 'The line protocol and RESP on one port.' },
};

const DESCRIPTION =
  'Every channel by which recorded events reach subscribers, and every event type. A cursor of one channel resumes at every other one (G4).';

/**
 * The AsyncAPI 3.0 document of the channels and of every event type of the catalogue. `send` means that Sluice sends. The
 * same channels in any order give the same document.
 * @throws Error when two channels have one name.
 */
export function asyncApiDocument(
  catalogue: EventCatalogue,
  channels: readonly ChannelDescription[],
  version: string,
): JsonObject {
  const writer = new SchemaWriter('draft-7');
  nameEvents(writer, catalogue);
  const events = [...catalogue.all()].sort((a, b) => compare(messageNameOf(a), messageNameOf(b)));
  const sortedChannels = [...channels].sort((a, b) => compare(a.name, b.name));
  const channelObjects: Record<string, JsonObject> = {};
  const operations: Record<string, JsonObject> = {};
  const messages: Record<string, JsonObject> = {};
  for (const event of events) messages[messageNameOf(event)] = eventMessage(event);
  for (const channel of sortedChannels) {
    if (channelObjects[channel.name]) throw new Error(`Two channels are called "${channel.name}"`);
    const carried = events.filter(({ family }) => channel.families?.includes(family));
    for (const [name, message] of Object.entries(channel.messages)) {
      messages[`${channel.name}.${name}`] = messageObject(name, message, writer);
    }
    channelObjects[channel.name] = channelObject(channel, carried, writer);
    Object.assign(operations, operationObjects(channel, carried, writer));
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Sluice', version, description: DESCRIPTION, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    servers: Object.fromEntries(Object.entries(SERVERS).sort(([a], [b]) => compare(a, b))),
    channels: channelObjects,
    operations,
    components: {
      schemas: writer.components(),
      messages: Object.fromEntries(Object.entries(messages).sort(([a], [b]) => compare(a, b))),
    },
  };
}

/** By code units: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The component that describes the recorded events of a type. */
export function messageNameOf({ family, type }: Pick<EventTypeDefinition, 'family' | 'type'>): string {
  return `event.${eventDataName(family, type)}`;
}

/** A recorded event of one type, as the channels without a form of their own carry it. */
function eventMessage({ family, type, version, description }: EventTypeDefinition): JsonObject {
  return {
    name: type,
    title: `${family} ${type}`,
    summary: description,
    payload: {
      allOf: [
        { $ref: '#/components/schemas/RecordedEvent' },
        {
          type: 'object',
          properties: {
            family: { const: family },
            type: { const: type },
            schemaVersion: { const: version },
            data: { $ref: `#/components/schemas/${eventDataName(family, type)}` },
          },
        },
      ],
    },
  };
}

function messageObject(
  name: string,
  { summary, payload, contentType }: ChannelMessage,
  writer: SchemaWriter,
): JsonObject {
  return {
    name,
    summary,
    ...(contentType === undefined ? {} : { contentType }),
    payload: writer.write(payload),
  };
}

function channelObject(
  channel: ChannelDescription,
  carried: readonly EventTypeDefinition[],
  writer: SchemaWriter,
): JsonObject {
  const { address, summary, description, protocol, query, messages } = channel;
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const own = Object.keys(messages).sort();
  return {
    address,
    title: channel.name,
    summary,
    ...(description === undefined ? {} : { description }),
    'x-sluice-app': channel.app,
    servers: [{ $ref: `#/servers/${protocol}` }],
    ...(names.length === 0 ? {} : { parameters: Object.fromEntries(names.map((name) => [name, {}])) }),
    messages: {
      ...Object.fromEntries(own.map((name) => [name, { $ref: `#/components/messages/${channel.name}.${name}` }])),
      ...Object.fromEntries(carried.map((event) => [messageNameOf(event), messageRef(event)])),
    },
    ...(query === undefined || protocol !== 'ws'
      ? {}
      : { bindings: { ws: { method: 'GET', query: writer.write(query), bindingVersion: '0.1.0' } } }),
  };
}

const messageRef = (event: EventTypeDefinition): JsonObject => ({
  $ref: `#/components/messages/${messageNameOf(event)}`,
});

function operationObjects(
  channel: ChannelDescription,
  carried: readonly EventTypeDefinition[],
  writer: SchemaWriter,
): Record<string, JsonObject> {
  const operations: Record<string, JsonObject> = {};
  const own = Object.entries(channel.messages);
  for (const action of ['receive', 'send'] as const) {
    const names = own.filter(([, { direction }]) => direction === action).map(([name]) => name);
    const all = [...names.sort(), ...(action === 'send' ? carried.map(messageNameOf) : [])];
    if (all.length === 0) continue;
    operations[`${channel.name}.${action}`] = {
      action,
      channel: { $ref: `#/channels/${channel.name}` },
      summary: action === 'send' ? 'What Sluice sends.' : 'What the client may send.',
      messages: all.map((name): JsonValue => ({ $ref: `#/channels/${channel.name}/messages/${name}` })),
      ...(channel.query === undefined || channel.protocol !== 'sse'
        ? {}
        : { bindings: { http: { method: 'GET', query: writer.write(channel.query), bindingVersion: '0.3.0' } } }),
    };
  }
  return operations;
}
