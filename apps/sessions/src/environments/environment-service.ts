import type { ListSessionDocuments, SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { z } from 'zod';
import type { Clock } from '../clock';
import { metadataField, metadataPatchField, patchMetadata } from '../documents/metadata';
import { Shelf, timesOf, type DocumentPage } from '../documents/shelf';
import type { Repetition } from '../http/sdk-door';
import { SdkRefusal } from '../refusal';
import { environmentConfigField, toEnvironmentConfig, type EnvironmentConfig } from './environment-config';

const MAX_NAME_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 2_048;

const nameField = z.string().min(1).max(MAX_NAME_LENGTH);
const parts = {
  config: environmentConfigField.nullish(),
  description: z.string().max(MAX_DESCRIPTION_LENGTH).nullish(),
  scope: z.enum(['organization', 'account']).nullish(),
};

/** The body of `POST /v1/environments`. */
export const createEnvironmentBody = z.strictObject({ name: nameField, ...parts, metadata: metadataField.optional() });

/** The body of `POST /v1/environments/{id}`: what is not there stays. */
export const updateEnvironmentBody = z.strictObject({
  name: nameField.nullish(),
  ...parts,
  metadata: metadataPatchField.optional(),
});

interface EnvironmentFields {
  readonly name: string;
  readonly config: EnvironmentConfig;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly scope?: string;
}

/** Where agents of sessions work. A session keeps what it was made with. */
export class EnvironmentService {
  private readonly environments: Shelf;

  constructor(documents: SessionDocuments, clock: Clock) {
    this.environments = new Shelf(documents, clock, { kind: 'environment', prefix: 'env', missing: noSuchEnvironment });
  }

  create(
    workspaceId: number,
    body: z.output<typeof createEnvironmentBody>,
    repetition: Repetition,
  ): Promise<SessionDocument> {
    const fields: EnvironmentFields = {
      name: body.name,
      config: toEnvironmentConfig(body.config),
      description: body.description || null,
      metadata: body.metadata ?? {},
      ...(body.scope != null && { scope: body.scope }),
    };
    return this.environments.create(this.environments.draft(workspaceId, { ...fields }, { repetition }));
  }

  get(workspaceId: number, id: string): Promise<SessionDocument> {
    return this.environments.require(workspaceId, id);
  }

  update(workspaceId: number, id: string, body: z.output<typeof updateEnvironmentBody>): Promise<SessionDocument> {
    return this.environments.change(workspaceId, id, (before) => {
      if (before.archivedAtMs !== null) {
        throw new SdkRefusal('invalid_request', 'environment_archived', 'The environment is archived');
      }
      const present = before.fields as unknown as EnvironmentFields;
      const fields: EnvironmentFields = {
        ...present,
        ...(body.name != null && { name: body.name }),
        config: toEnvironmentConfig(body.config, present.config),
        ...(body.description !== undefined && { description: body.description || null }),
        ...(body.scope != null && { scope: body.scope }),
        metadata: patchMetadata(present.metadata, body.metadata),
      };
      return { fields: { ...fields } };
    });
  }

  /** Idempotent. Sessions that have it go on; no more are made in it. */
  archive(workspaceId: number, id: string): Promise<SessionDocument> {
    return this.environments.change(workspaceId, id, ({ archivedAtMs }) =>
      archivedAtMs === null ? { archived: true } : undefined,
    );
  }

  /** Sessions that have it go on as when it is archived: what they need of it is their own. */
  delete(workspaceId: number, id: string): Promise<void> {
    return this.environments.remove(workspaceId, id);
  }

  list(workspaceId: number, part: Omit<ListSessionDocuments, 'workspaceId' | 'kind'>): Promise<DocumentPage> {
    return this.environments.page({ workspaceId, ...part });
  }
}

/** An environment in the form of the SDK. */
export function environmentView(environment: SessionDocument) {
  const fields = environment.fields as unknown as EnvironmentFields;
  return { id: environment.id, type: 'environment' as const, ...fields, ...timesOf(environment) };
}

function noSuchEnvironment(): SdkRefusal {
  return new SdkRefusal('not_found', 'environment_not_found', 'There is no such environment');
}
