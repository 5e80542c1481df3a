import type { CursorPlace } from '@sluice/event-log';
import type { DeadLetter, DeliveryEntry, DeliveryOutcome, NewDeadLetter, StoredDelivery } from './delivery-log';
import type {
  EndpointProgress,
  EndpointState,
  WebhookDisabled,
  WebhookEndpoint,
  WebhookSecrets,
} from './webhook-endpoint';
import type { WebhookFilter } from './webhook-filter';

/** What an owner may change. What is absent stays as it is. */
export interface WebhookEndpointChange {
  readonly url?: string;
  readonly description?: string;
  readonly filter?: WebhookFilter;
  /** Null enables the endpoint: the event that it stopped at has all its attempts again. */
  readonly disabled?: WebhookDisabled | null;
  readonly secrets?: WebhookSecrets;
  /** Where it goes on from: whatever it waits for is not waited for any more. */
  readonly place?: CursorPlace;
  /** What waits to be tried again is due then. */
  readonly dueAt?: number;
  /** The application was reached then: what waits is due, and it does not fail any more. */
  readonly reachedAt?: number;
  readonly updatedAt?: number;
}

/** A change that rests on what the endpoint is. @throws whatever it throws, and then nothing is changed */
export type DecideChange = (state: EndpointState) => WebhookEndpointChange;

/** The right to deliver to one endpoint: one holder at a time. */
export interface WebhookGrant {
  readonly endpointId: string;
  readonly holder: string;
  /** Rises with every new grant. */
  readonly fencingToken: number;
}

export interface WebhookLease extends EndpointState {
  readonly grant: WebhookGrant;
  /** Dead letters wait to be sent again. */
  readonly hasReplays: boolean;
}

/** A grant that still holds, and what changed behind the back of its holder. */
export interface RenewedGrant {
  readonly endpointId: string;
  readonly version: number;
  readonly isEnabled: boolean;
  readonly hasReplays: boolean;
}

/** What came of an attempt; all of it is kept or nothing. */
export interface RecordedDelivery {
  readonly entry: DeliveryEntry;
  /** Absent: as before. */
  readonly progress?: EndpointProgress;
  readonly deadLetter?: NewDeadLetter;
  readonly disabled?: WebhookDisabled;
  /** A dead letter that was sent again: it goes when it is delivered, else it waits no more. */
  readonly replayed?: { readonly deadLetterId: number; readonly isDelivered: boolean };
  /** What it follows from. Absent: whatever there is. */
  readonly progressVersion?: number;
}

/** An endpoint that is held, and how far its holder knows it to be. */
export interface HeldPlace {
  readonly grant: WebhookGrant;
  readonly place: CursorPlace;
  /** A place that follows from another progress than the one that is kept says nothing. */
  readonly progressVersion: number;
}

/**
 * Most endpoints, deliveries or dead letters that are given at once, and most endpoints that are claimed at once: a page of a
 * thousand, and one more that tells whether there is another page.
 */
export const MAX_WEBHOOK_PAGE = 1_001;

/** What is kept of the past. */
export interface WebhookRetention {
  /** Deliveries of one endpoint; the oldest go first. */
  readonly deliveriesPerEndpoint: number;
  readonly deadLettersPerEndpoint: number;
}

/** Kept where nothing else is said. */
export const WEBHOOK_RETENTION: WebhookRetention = { deliveriesPerEndpoint: 10_000, deadLettersPerEndpoint: 10_000 };

/**
 * Endpoints of webhooks, how far each is, what was delivered and what was given up. It is no read model: it cannot be
 * rebuilt, and is backed up.
 *
 * What is of another workspace is answered like what does not exist (G8). Every method may throw SluiceError
 * `read_model_unavailable`; those that need a grant throw `conflict` when it is no longer valid. The store's clock decides
 * about leases.
 */
export interface WebhookStore {
  /** @throws SluiceError `conflict` where the workspace has `mostPerWorkspace` endpoints already */
  create(endpoint: WebhookEndpoint, place: CursorPlace, mostPerWorkspace: number): Promise<void>;
  find(workspaceId: number, endpointId: string): Promise<EndpointState | undefined>;
  /** By id, after `after`. */
  list(query: {
    readonly workspaceId: number;
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly EndpointState[]>;
  update(
    workspaceId: number,
    endpointId: string,
    change: WebhookEndpointChange | DecideChange,
  ): Promise<EndpointState | undefined>;
  /**
   * Makes a dead letter of what is not through yet, and goes on. Undefined where there is no such endpoint.
   * @throws SluiceError `conflict` where nothing waits
   */
  skip(workspaceId: number, endpointId: string, at: number): Promise<EndpointState | undefined>;
  /** With its log and its dead letters. False where there is none. */
  remove(workspaceId: number, endpointId: string): Promise<boolean>;

  /** Grants for enabled endpoints that nobody holds, the longest unattended first. */
  claim(query: {
    readonly holder: string;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly WebhookLease[]>;
  /** Renews grants and keeps how far their endpoints are. Those that are not among the answers are lost. */
  renew(query: { readonly held: readonly HeldPlace[]; readonly leaseMs: number }): Promise<readonly RenewedGrant[]>;
  /** Gives grants back, so that nobody waits for their end. Those that are lost already are left out. */
  release(held: readonly HeldPlace[]): Promise<void>;
  /** The endpoint as it is now. */
  load(grant: WebhookGrant): Promise<EndpointState>;
  /**
   * With it the version of the progress rises by one. False, and nothing is kept, where it is not the one that it follows
   * from: the owner changed it meanwhile, or this is kept already.
   */
  record(grant: WebhookGrant, delivery: RecordedDelivery): Promise<boolean>;
  /** Dead letters that wait to be sent again, the longest waiting first. */
  replays(grant: WebhookGrant, limit: number): Promise<readonly DeadLetter[]>;

  /** An entry that changes nothing else: a test of the owner. False where there is no such endpoint. */
  log(workspaceId: number, endpointId: string, entry: DeliveryEntry): Promise<boolean>;
  /** The newest first, older than `before`. Undefined where there is no such endpoint. */
  deliveries(query: DeliveriesQuery): Promise<readonly StoredDelivery[] | undefined>;
  /** The newest first, older than `before`. Undefined where there is no such endpoint. */
  deadLetters(query: PastQuery): Promise<readonly DeadLetter[] | undefined>;
  /**
   * Lets dead letters wait to be sent again: those with these ids, or all. How many wait that did not before; undefined
   * where there is no such endpoint.
   */
  replay(query: {
    readonly workspaceId: number;
    readonly endpointId: string;
    readonly deadLetterIds: readonly number[] | 'all';
    readonly replayAt: number;
  }): Promise<number | undefined>;
  /**
   * Lets events be sent once more, as dead letters that wait for it. How many wait now; undefined where there is no such
   * endpoint.
   * @throws SluiceError `conflict` where more than `mostWaiting` would wait
   */
  redeliver(query: {
    readonly workspaceId: number;
    readonly endpointId: string;
    readonly letters: readonly NewDeadLetter[];
    readonly replayAt: number;
    readonly mostWaiting: number;
  }): Promise<number | undefined>;
  /** Lets none of the dead letters wait. How many did; undefined where there is no such endpoint. */
  cancelReplays(workspaceId: number, endpointId: string): Promise<number | undefined>;
  /** Enabled endpoints whose lease ran out so long ago, in milliseconds: nobody delivers to them. */
  countUnattended(forMs: number): Promise<number>;
  /** Forgets deliveries and dead letters from before these instants, at most `limit` of each. How many. */
  prune(query: {
    readonly deliveriesBefore: number;
    readonly deadLettersBefore: number;
    readonly limit: number;
  }): Promise<{ readonly deliveries: number; readonly deadLetters: number }>;
}

/** Deliveries with this outcome, or of this event, or all. */
export interface DeliveriesQuery extends PastQuery {
  readonly outcome?: DeliveryOutcome | undefined;
  readonly eventId?: string | undefined;
}

export interface PastQuery {
  readonly workspaceId: number;
  readonly endpointId: string;
  /** The id of a delivery or of a dead letter. */
  readonly before?: number | undefined;
  readonly limit: number;
}
