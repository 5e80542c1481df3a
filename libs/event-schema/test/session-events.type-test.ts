import type Anthropic from '@anthropic-ai/sdk';
import type { ListableSessionEventType, SessionEventType } from '../src/session/event-types';
import type { SendSessionEvent } from '../src/session/send-event';

/** Whether every A is a B. */
type Extends<A, B> = [A] extends [B] ? true : false;
type Proven<Claim extends true> = Claim;
type Refuted<Claim extends false> = Claim;

type ClientEventType = Anthropic.Beta.Sessions.BetaManagedAgentsSessionEventType;
type ClientEvent = Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent;
type ClientParams = Anthropic.Beta.Sessions.BetaManagedAgentsEventParams;

/** The vocabulary is that of the client: what can be listed, and what is shown. */
export type Vocabulary = [
  Proven<Extends<ClientEventType, ListableSessionEventType>>,
  Proven<Extends<ListableSessionEventType, ClientEventType>>,
  Proven<Extends<ClientEvent['type'], SessionEventType>>,
  Proven<Extends<SessionEventType, ClientEvent['type']>>,
  Refuted<Extends<'session.created', ClientEvent['type']>>,
];

/** What may be sent is what the client can say, except that media types are closed here. */
export type Sent = [Proven<Extends<SendSessionEvent, ClientParams>>, Refuted<Extends<ClientParams, SendSessionEvent>>];
