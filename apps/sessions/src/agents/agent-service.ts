import { isDeepStrictEqual } from 'node:util';
import type {
  ListSessionDocuments,
  NewSessionDocument,
  SessionDocument,
  SessionDocuments,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import { patchMetadata } from '../documents/metadata';
import { repeatableId, Shelf, timesOf, type DocumentPage } from '../documents/shelf';
import type { Repetition } from '../http/sdk-door';
import { versionOf, type AgentFields } from '../sessions/session-parts';
import type { CreateAgentBody, UpdateAgentBody } from './agent-body';
import { checkToolParts, toModel, toSkills, toTools } from './agent-parts';

const DEFAULT_IDENTITY = { type: 'service_account' };

type ListPart = Omit<ListSessionDocuments, 'workspaceId' | 'kind'>;

/** What is kept beside a change, by which it is known when it is asked for again. */
type NoteOfChange = (agent: NewSessionDocument) => NewSessionDocument;

/** Agents and all their versions: each change makes one, and none is ever changed. */
export class AgentService {
  private readonly agents: Shelf;
  private readonly versions: Shelf;

  constructor(
    private readonly documents: SessionDocuments,
    clock: Clock,
  ) {
    this.agents = new Shelf(documents, clock, { kind: 'agent', prefix: 'agent', missing: noSuchAgent });
    this.versions = new Shelf(documents, clock, { kind: 'agent_version', prefix: 'agent', missing: noSuchVersion });
  }

  create(workspaceId: number, body: CreateAgentBody, repetition: Repetition): Promise<SessionDocument> {
    const fields: AgentFields = {
      name: body.name,
      description: orNull(body.description),
      model: toModel(body.model),
      system: orNull(body.system),
      tools: toTools(body.tools ?? []),
      mcp_servers: body.mcp_servers ?? [],
      skills: toSkills(body.skills ?? []),
      multiagent: null,
      execution_identity: body.execution_identity ?? DEFAULT_IDENTITY,
      metadata: body.metadata ?? {},
    };
    checkToolParts(fields);
    const draft = this.agents.draft(workspaceId, { ...fields, version: 1 }, { repetition });
    return this.agents.create(draft, [versionDocument(draft)]);
  }

  /** As it is now, or was in a version. @throws SluiceError `not_found` */
  async get(workspaceId: number, id: string, version?: number): Promise<SessionDocument> {
    const agent = await this.agents.require(workspaceId, id);
    if (version === undefined || version === versionOf(agent)) return agent;
    return asAgent(agent, await this.versions.require(workspaceId, versionId(id, version)));
  }

  /**
   * A call that is repeated with its key gives the version that it made.
   * @throws SluiceError `not_found`, `conflict` when it is not in the version that is named, `invalid_request`
   */
  async update(
    workspaceId: number,
    id: string,
    body: UpdateAgentBody,
    repetition: Repetition,
  ): Promise<SessionDocument> {
    const change = (also?: NoteOfChange) => this.change(workspaceId, id, body, also);
    if (repetition.key === undefined) return change();
    const noteId = `${id}/${repeatableId('agent', repetition)}`;
    const earlier = async () => {
      const note = await this.documents.find(workspaceId, 'agent_version', noteId);
      return note && this.get(workspaceId, id, versionOf(note));
    };
    const noted = await earlier();
    if (noted) return noted;
    // Belongs to no agent: no list of versions has it.
    const noteOf: NoteOfChange = (agent) => ({
      ...agent,
      kind: 'agent_version',
      id: noteId,
      parentId: null,
      fields: { version: versionOf(agent) },
    });
    try {
      const agent = await change(noteOf);
      // It is there unless nothing was changed.
      await this.documents.create([noteOf(agent)]);
      return agent;
    } catch (error) {
      const meanwhile = await earlier();
      if (meanwhile) return meanwhile;
      throw error;
    }
  }

  private change(workspaceId: number, id: string, body: UpdateAgentBody, noteOf?: NoteOfChange) {
    return this.agents.change(workspaceId, id, (before) => {
      const version = versionOf(before);
      if (body.version !== undefined && body.version !== version) {
        throw new SluiceError('conflict', `version: the agent is in version ${version}`, { where: 'version' });
      }
      if (before.archivedAtMs !== null) throw new SluiceError('invalid_request', 'The agent is archived');
      const { version: _version, ...present } = before.fields as unknown as AgentFields & { version: number };
      const fields = updated(present, body);
      checkToolParts(fields);
      if (isDeepStrictEqual(asStored(fields), asStored(present))) return undefined;
      return {
        fields: { ...fields, version: version + 1 },
        also: (after) => [versionDocument(after), ...(noteOf ? [noteOf(after)] : [])],
      };
    });
  }

  /** Idempotent. Sessions that have it go on; no more are made of it. */
  archive(workspaceId: number, id: string): Promise<SessionDocument> {
    return this.agents.change(workspaceId, id, ({ archivedAtMs }) =>
      archivedAtMs === null ? { archived: true } : undefined,
    );
  }

  list(workspaceId: number, part: ListPart): Promise<DocumentPage> {
    return this.agents.page({ workspaceId, ...part });
  }

  /** The newest first. The documents are those of the versions, but for what is the agent's own. */
  async listVersions(workspaceId: number, id: string, part: ListPart) {
    const agent = await this.agents.require(workspaceId, id);
    const page = await this.versions.page({ workspaceId, ...part, parentId: id });
    return { page, view: (version: SessionDocument) => agentView(asAgent(agent, version)) };
  }
}

/** An agent in the form of the SDK. */
export function agentView(agent: SessionDocument) {
  const { version, ...fields } = agent.fields as unknown as AgentFields & { readonly version: number };
  return { id: agent.id, type: 'agent' as const, version, ...fields, ...timesOf(agent) };
}

const versionId = (id: string, version: number) => `${id}/${version}`;

function versionDocument(agent: NewSessionDocument): NewSessionDocument {
  return {
    ...agent,
    kind: 'agent_version',
    id: versionId(agent.id, Number(agent.fields['version'])),
    parentId: agent.id,
    createdAtMs: agent.updatedAtMs,
  };
}

function asAgent(agent: SessionDocument, { fields, createdAtMs }: SessionDocument): SessionDocument {
  return { ...agent, fields, updatedAtMs: createdAtMs };
}

function updated(before: AgentFields, body: UpdateAgentBody): AgentFields {
  return {
    ...before,
    ...(body.name !== undefined && { name: body.name }),
    ...(body.model !== undefined && { model: toModel(body.model) }),
    ...(body.system !== undefined && { system: orNull(body.system) }),
    ...(body.description !== undefined && { description: orNull(body.description) }),
    ...(body.tools !== undefined && { tools: toTools(body.tools ?? []) }),
    ...(body.mcp_servers !== undefined && { mcp_servers: body.mcp_servers ?? [] }),
    ...(body.skills !== undefined && { skills: toSkills(body.skills ?? []) }),
    ...(body.multiagent !== undefined && { multiagent: null }),
    ...(body.execution_identity !== undefined && { execution_identity: body.execution_identity ?? DEFAULT_IDENTITY }),
    metadata: patchMetadata(before.metadata, body.metadata),
  };
}

/** The empty text clears as null does. */
function orNull(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** As it comes back from a store, which keeps JSON. */
function asStored(fields: AgentFields): unknown {
  return JSON.parse(JSON.stringify(fields));
}

function noSuchAgent(): SluiceError {
  return new SluiceError('not_found', 'There is no such agent');
}

function noSuchVersion(): SluiceError {
  return new SluiceError('not_found', 'The agent has no such version');
}
