import type { FileStore, SessionDocuments } from '@sluice/agent-sessions';
import { AgentService } from './agents/agent-service';
import type { Clock } from './clock';
import type { SessionsConfig } from './config';
import { EnvironmentService } from './environments/environment-service';
import { StoredFiles } from './files/stored-files';
import { CredentialService } from './vaults/credential-service';
import { RepositoryTokens } from './vaults/repository-tokens';
import { SecretBox } from './vaults/secret-box';
import { VaultService } from './vaults/vault-service';

/** What sessions are made of, and what they use. */
export interface Holdings {
  readonly agents: AgentService;
  readonly environments: EnvironmentService;
  readonly vaults: VaultService;
  readonly credentials: CredentialService;
  readonly tokens: RepositoryTokens;
  readonly files: StoredFiles;
}

export interface HoldingsPorts {
  readonly config: Pick<SessionsConfig, 'secretsKeys' | 'files'>;
  readonly documents: SessionDocuments;
  readonly files: FileStore;
  readonly clock: Clock;
}

export function createHoldings({ config, documents, files, clock }: HoldingsPorts): Holdings {
  const box = new SecretBox(config.secretsKeys);
  const credentials = new CredentialService(documents, clock, box);
  return {
    agents: new AgentService(documents, clock),
    environments: new EnvironmentService(documents, clock),
    vaults: new VaultService(documents, clock, credentials),
    credentials,
    tokens: new RepositoryTokens(documents, clock, box),
    files: new StoredFiles(files, documents, clock, config.files),
  };
}
