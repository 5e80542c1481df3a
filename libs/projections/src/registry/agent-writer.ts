import type { AgentRegistration, RecordedEvent, RegistryFeedback } from '@sluice/event-schema';
import type { AgentChange, AgentFile, AgentParts, FeedbackChange, FeedbackContent } from './agent-change';

/** Which feedback an event is about. Without an index it is named by the event that told of it. */
interface FeedbackPlace {
  readonly clientAddress?: string | undefined;
  readonly feedbackIndex?: string | undefined;
  readonly attestationUid?: string | undefined;
}

const NO_FEEDBACK: ReadonlyMap<string, FeedbackChange> = new Map();
const NO_RESPONSES = { responses: new Map(), withdrawn: new Set<string>() } as const;

/** Writes down what one event means for its agent. */
export class AgentWriter {
  private readonly agentId: string;

  constructor(private readonly event: RecordedEvent) {
    this.agentId = String(event.data['agentId']);
  }

  get occurredAt(): number {
    return this.event.occurredAt;
  }

  /** Makes the agent, or makes it anew. */
  register(owner: string, file: AgentFile, registration: AgentRegistration | undefined): AgentChange {
    const { occurredAt, position } = this.event;
    const parts: AgentParts = {
      ...this.registered(registration, file),
      owner: owner.toLowerCase(),
      reachability: null,
      classification: null,
      rating: { score: null, feedbackCount: 0 },
    };
    const times = {
      registeredAt: occurredAt,
      updatedAt: occurredAt,
      createdPosition: position,
      lastPosition: position,
    };
    return this.change({ begins: { parts, ...times } });
  }

  /** The agent goes with its feedback. */
  remove(): AgentChange {
    return this.change({ begins: null });
  }

  /** All that is known of its registration. */
  replaceRegistration(registration: AgentRegistration): AgentChange {
    return this.patch(this.registered(registration, this.fileOf(registration)));
  }

  /** What the registration says anew; what it does not name stays. */
  patchRegistration(registration: AgentRegistration): AgentChange {
    const { uri, error, file: read, wallet, metadata } = registration;
    const file = read && this.fileOf(registration);
    const parts: Partial<AgentParts> = {
      ...(uri === undefined ? {} : { uri: uriOf(uri) }),
      ...(wallet === undefined ? {} : { wallet: wallet?.toLowerCase() ?? null }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(file === undefined ? {} : { file }),
      // A fault is about the file that could not be read: another URI, or a file that was read, has none.
      ...(error ? { fileError: error } : uri !== undefined || file ? { fileError: null } : {}),
    };
    return this.patch(parts);
  }

  patch(parts: Partial<AgentParts>): AgentChange {
    const { occurredAt: updatedAt, position: lastPosition } = this.event;
    return this.change({ patch: { parts, updatedAt, lastPosition } });
  }

  giveFeedback(feedback: RegistryFeedback): AgentChange {
    const { occurredAt: createdAt, position: createdPosition, id } = this.event;
    const { clientAddress, attestationUid } = feedback;
    const made: FeedbackContent = {
      ...feedback,
      ...(attestationUid === undefined ? {} : { attestationUid: attestationUid.toLowerCase() }),
      clientAddress: clientAddress.toLowerCase(),
      createdAt,
      createdPosition,
    };
    return this.changeFeedback(feedbackName(feedback, id), { ...NO_RESPONSES, made });
  }

  removeFeedback(place: FeedbackPlace, givenBy: string): AgentChange {
    return this.changeFeedback(feedbackName(place, givenBy), { ...NO_RESPONSES, made: null });
  }

  setRevoked(place: FeedbackPlace, revoked: boolean): AgentChange {
    return this.changeFeedback(feedbackName(place, this.event.id), { ...NO_RESPONSES, revoked });
  }

  respond(place: FeedbackPlace, responder: string, responseUri: string, responseHash: string): AgentChange {
    const { id, occurredAt: createdAt, position } = this.event;
    const response = { responder: responder.toLowerCase(), responseUri, responseHash, createdAt, position };
    return this.changeFeedback(feedbackName(place, id), { ...NO_RESPONSES, responses: new Map([[id, response]]) });
  }

  withdrawResponse(place: FeedbackPlace, givenBy: string): AgentChange {
    return this.changeFeedback(feedbackName(place, givenBy), { ...NO_RESPONSES, withdrawn: new Set([givenBy]) });
  }

  /** The file of a registration, or what is known without one. */
  fileOf({ file }: AgentRegistration): AgentFile {
    const nameless = `Agent #${this.agentId.slice(this.agentId.indexOf(':') + 1)}`;
    if (!file) return { name: nameless, services: [], supportedTrust: [], hasMcp: false, hasA2a: false };
    const { name, declaredSkills: _skills, declaredDomains: _domains, updatedAt: _updatedAt, ...rest } = file;
    const { mcpEndpoint, a2aEndpoint } = file;
    const has = { hasMcp: mcpEndpoint !== undefined, hasA2a: a2aEndpoint !== undefined };
    return { name: name === '' ? nameless : name, ...rest, ...has };
  }

  private registered(registration: AgentRegistration = {}, file: AgentFile) {
    const { uri, error: fileError = null, wallet, metadata = {} } = registration;
    return { uri: uriOf(uri), wallet: wallet?.toLowerCase() ?? null, fileError, metadata, file };
  }

  private changeFeedback(name: string, change: FeedbackChange): AgentChange {
    return this.change({ feedback: new Map([[name, change]]) });
  }

  private change(what: Partial<AgentChange>): AgentChange {
    return { kind: 'agent', agentId: this.agentId, feedback: NO_FEEDBACK, ...what };
  }
}

/** Without a text there is none. */
function uriOf(uri: string | undefined): string | null {
  return uri === undefined || uri === '' ? null : uri;
}

/** What tells the feedback of one agent apart. */
function feedbackName({ clientAddress, feedbackIndex, attestationUid }: FeedbackPlace, givenBy: string): string {
  if (attestationUid !== undefined) return `attestation/${attestationUid.toLowerCase()}`;
  if (feedbackIndex !== undefined && clientAddress !== undefined) {
    return `feedback/${clientAddress.toLowerCase()}/${feedbackIndex}`;
  }
  return `event/${givenBy}`;
}
