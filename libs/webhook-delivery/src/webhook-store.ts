import type { CursorPlace } from '@sluice/event-log';
import type { DeadLetter, DeliveryEntry, NewDeadLetter, StoredDelivery } from './delivery-log';
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
  readonly updatedAt: number;
}

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
  update(workspaceId: number, endpointId: string, change: WebhookEndpointChange): Promise<EndpointState | undefined>;
  /** With its log and its dead letters. False where there is none. */
  remove(workspaceId: number, endpointId: string): Promise<boolean>;

  /** Grants for enabled endpoints that nobody holds, the longest unattended first. */
  claim(query: {
    readonly holder: string;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly WebhookLease[]>;
  /** Renews grants and keeps how far their endpoints are. Those that are not among the answers are lost. */
  renew(query: {
    readonly held: readonly { readonly grant: WebhookGrant; readonly place: CursorPlace }[];
    readonly leaseMs: number;
  }): Promise<readonly RenewedGrant[]>;
  /** Gives grants back, so that nobody waits for their end. Those that are lost already are left out. */
  release(held: readonly { readonly grant: WebhookGrant; readonly place: CursorPlace }[]): Promise<void>;
  /** The endpoint as it is now. */
  load(grant: WebhookGrant): Promise<EndpointState>;
  record(grant: WebhookGrant, delivery: RecordedDelivery): Promise<void>;
  /** Dead letters that wait to be sent again, the longest waiting first. */
  replays(grant: WebhookGrant, limit: number): Promise<readonly DeadLetter[]>;

  /** An entry that changes nothing else: a test of the owner. False where there is no such endpoint. */
  log(workspaceId: number, endpointId: string, entry: DeliveryEntry): Promise<boolean>;
  /** The newest first, older than `before`. Undefined where there is no such endpoint. */
  deliveries(query: PastQuery): Promise<readonly StoredDelivery[] | undefined>;
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
  /** Forgets deliveries and dead letters from before these instants, at most `limit` of each. How many. */
  prune(query: {
    readonly deliveriesBefore: number;
    readonly deadLettersBefore: number;
    readonly limit: number;
  }): Promise<{ readonly deliveries: number; readonly deadLetters: number }>;
}

export interface PastQuery {
  readonly workspaceId: number;
  readonly endpointId: string;
  /** The id of a delivery or of a dead letter. */
  readonly before?: number | undefined;
  readonly limit: number;
}
