import type Anthropic from '@anthropic-ai/sdk';
import { SseFollower, type FollowOptions } from '../../e2e/followers';
import { SessionFollower } from '../../e2e/session-follower';
import { SocketFollower, WorkspaceSocketFollower } from '../../e2e/socket-followers';
import type { DevFile } from '../../e2e/system';
import { LineFollower, RespFollower } from '../../e2e/tcp-followers';
import type { ReceivedWebhook, WebhookReceiver } from '../../e2e/webhook-receiver';
import type { Entities } from './entities';
import { markIn } from './mark';
import { Sightings } from './sightings';

/** A subscriber that resumes, what it has seen, and what it should see. */
export interface Reader {
  readonly sightings: Sightings;
  readonly entities: readonly string[];
  /** Breaks its connection off, where it has one. */
  cut(): void;
  /** Explicit resets that it was told; none is expected. */
  resets(): number;
  close(): void;
}

type Connect = (options: FollowOptions) => {
  start(): void;
  cut(): void;
  close(): void;
  readonly resets: number;
};

/** One reader at every door that follows by cursor, from the beginning on. */
export function makeReaders(dev: () => DevFile, of: Entities): readonly Reader[] {
  const own = [...of.sandboxes, of.workspace, of.session];
  const make = (place: string, entities: readonly string[], connect: Connect): Reader => {
    const sightings = new Sightings(place);
    const onEvent = (json: string) => see(sightings, of, json);
    const follower = connect({ target: dev, onEvent, from: 'earliest' });
    follower.start();
    return {
      sightings,
      entities,
      cut: () => follower.cut(),
      resets: () => follower.resets,
      close: () => follower.close(),
    };
  };
  return [
    make('GET /v1/stream', own, (options) => new SseFollower(options)),
    make('/v1/socket', [...own, of.registry], (options) => new SocketFollower(options, { families: FAMILIES })),
    make('GET /api/v1/events', [of.registry], (options) => new SseFollower(options, REGISTRY_PATH)),
    make('GET /api/events', [of.workspace], (options) => new SseFollower(options, '/api/events')),
    make('/ws', [of.workspace], (options) => new WorkspaceSocketFollower(options)),
    make('TCP lines', [of.oneSandbox], (options) => new LineFollower(options, of.oneSandbox)),
    make('RESP', [of.oneSandbox], (options) => new RespFollower(options, of.oneSandbox)),
  ];
}

const FAMILIES = ['sandbox', 'registry', 'workspace', 'session'] as const;
const REGISTRY_PATH = '/api/v1/events?reputation=true&heartbeat=5';

/** The stream of a session, from its first message on. */
export function makeSessionReader(client: Anthropic, of: Entities, sessionId: string, from: string): Reader {
  const sightings = new Sightings('session stream');
  const follower = new SessionFollower(client, sessionId, from, (event) => see(sightings, of, JSON.stringify(event)));
  return {
    sightings,
    entities: [of.session],
    cut: () => undefined,
    resets: () => 0,
    close: () => follower.close(),
  };
}

/** An endpoint is told of one event at a time, so it is not told of all: one entity of each family. */
export const webhookFilter = (of: Entities, sessionId: string): object => ({
  families: FAMILIES,
  entityIds: [of.oneSandbox, of.registryAgent, `session/${of.workspace}`, sessionId],
});

/** What an application knows by webhooks: it takes each `webhook-id` once, as the documentation asks it to. */
export function makeWebhookReader(receiver: WebhookReceiver, of: Entities): Reader {
  const sightings = new Sightings('webhooks');
  const known = new Set<string>();
  let resets = 0;
  receiver.onTaken = ({ headers, body }: ReceivedWebhook) => {
    const id = String(headers['webhook-id']);
    if (known.has(id)) return;
    known.add(id);
    if (body.includes('"type":"webhook.reset"')) resets++;
    see(sightings, of, body);
  };
  const entities = [of.oneSandbox, of.registry, of.workspace, of.session];
  return { sightings, entities, cut: () => undefined, resets: () => resets, close: () => undefined };
}

/** Adds the mark of an event, where it has one of this trial. */
export function see(sightings: Sightings, of: Entities, json: string): void {
  const mark = markIn(json);
  if (mark && of.owns(mark.entity)) sightings.add(mark);
}
