import type {
  AgentSnapshot,
  EnvironmentType,
  SessionDocument,
  SessionDocuments,
  SessionResource,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { checkToolParts, toModel, toSkills, toTools } from '../agents/agent-parts';
import { newId } from '../new-ids';
import { SdkRefusal } from '../refusal';
import type { AgentReference, ResourceParams } from './session-params';

/** What an agent is, but for its id and version: the members of its document. */
export type AgentFields = Omit<AgentSnapshot, 'id' | 'type' | 'version'>;

/** What a session is made of, looked up and checked. */
export class SessionParts {
  constructor(private readonly documents: SessionDocuments) {}

  /**
   * The agent as it is now, or was in the named version, with what the session overrides.
   * @throws SluiceError `not_found`, `invalid_request` for one that is archived
   */
  async agent(workspaceId: number, reference: AgentReference): Promise<AgentSnapshot> {
    const named = typeof reference === 'string' ? { type: 'agent' as const, id: reference } : reference;
    const { id } = named;
    const current = await this.documents.find(workspaceId, 'agent', id);
    if (!current) throw missing('agent', 'agent');
    if (current.archivedAtMs !== null) throw archived('agent', 'agent');
    const version = named.version ?? undefined;
    const document =
      version === undefined || version === versionOf(current)
        ? current
        : await this.documents.find(workspaceId, 'agent_version', `${id}/${version}`);
    if (!document) throw missing('version of the agent', 'agent.version');
    const snapshot = snapshotOf(id, document);
    if (named.type === 'agent') return snapshot;
    const { model, system, tools, mcp_servers: servers, skills } = named;
    const overridden = {
      ...snapshot,
      ...(model !== undefined && { model: toModel(model) }),
      ...(system !== undefined && { system }),
      ...(tools !== undefined && { tools: toTools(tools) }),
      ...(servers !== undefined && { mcp_servers: servers }),
      ...(skills !== undefined && { skills: toSkills(skills) }),
    };
    checkToolParts(overridden);
    return overridden;
  }

  /** @throws SluiceError `not_found`, `invalid_request` for one that is archived */
  async environment(workspaceId: number, id: string): Promise<EnvironmentType> {
    const document = await this.documents.find(workspaceId, 'environment', id);
    const where = 'environment_id';
    if (!document) {
      throw new SdkRefusal('not_found', 'environment_not_found', `${where}: there is no such environment`, { where });
    }
    if (document.archivedAtMs !== null) {
      throw new SdkRefusal('invalid_request', 'environment_archived', `${where}: the environment is archived`, {
        where,
      });
    }
    const { type } = Object(document.fields['config']) as { type?: unknown };
    return type === 'self_hosted' ? 'self_hosted' : 'cloud';
  }

  /** @throws SluiceError `not_found` */
  async requireVaults(workspaceId: number, ids: readonly string[]): Promise<void> {
    for (const [index, id] of ids.entries()) {
      const vault = await this.documents.find(workspaceId, 'vault', id);
      if (!vault || vault.archivedAtMs !== null) throw missing('vault', `vault_ids[${index}]`);
    }
  }

  /** A resource with an id, as it is shown. What is secret of it is kept elsewhere. @throws SluiceError `not_found` */
  async resource(workspaceId: number, params: ResourceParams, nowMs: number, where: string): Promise<SessionResource> {
    const now = new Date(nowMs).toISOString();
    const times = { created_at: now, updated_at: now };
    const id = newId('sesrsc');
    switch (params.type) {
      case 'file': {
        await this.requireFile(workspaceId, params.file_id, `${where}.file_id`);
        const mountPath = params.mount_path ?? `/mnt/session/uploads/${params.file_id}`;
        return { id, type: 'file', file_id: params.file_id, mount_path: mountPath, ...times };
      }
      case 'github_repository': {
        const { authorization_token: _token, mount_path: mountPath, ...shown } = params;
        const name = new URL(params.url).pathname.split('/').filter(Boolean).at(-1) ?? 'repository';
        return { ...shown, id, mount_path: mountPath ?? `/workspace/${name.replace(/\.git$/, '')}`, ...times };
      }
    }
  }

  /** @throws SluiceError `not_found` for one that is not there or has expired */
  async requireFile(workspaceId: number, id: string, where: string): Promise<SessionDocument> {
    const file = await this.documents.find(workspaceId, 'file', id);
    if (!file || (file.expiresAtMs !== null && file.expiresAtMs <= Date.now())) throw missing('file', where);
    return file;
  }
}

export function versionOf(document: Pick<SessionDocument, 'fields'>): number {
  return Number(document.fields['version']);
}

/** An agent's document, or that of one of its versions, as sessions keep it. */
export function snapshotOf(id: string, document: SessionDocument): AgentSnapshot {
  const { version: _version, ...fields } = document.fields as unknown as AgentFields & { readonly version: number };
  return { ...fields, id, type: 'agent', version: versionOf(document) };
}

function missing(what: string, where: string): SluiceError {
  return new SluiceError('not_found', `${where}: there is no such ${what}`, { where });
}

function archived(what: string, where: string): SluiceError {
  return new SluiceError('invalid_request', `${where}: the ${what} is archived`, { where });
}
