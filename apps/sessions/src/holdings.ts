import type { FileStore, SessionDocuments } from '@sluice/agent-sessions';
import { SecretBox } from '@sluice/secret-box';
import { AgentService } from './agents/agent-service';
import type { Clock } from './clock';
import type { SessionsConfig } from './config';
import { RegisteredEngines } from './engines/registered-engines';
import { EnvironmentService } from './environments/environment-service';
import { StoredFiles } from './files/stored-files';
import type { SessionSignals } from './signals';
import { CredentialService } from './vaults/credential-service';
import { RepositoryTokens } from './vaults/repository-tokens';
import { VaultService } from './vaults/vault-service';

/** What sessions are made of, and what they use. */
export interface Holdings {
  readonly agents: AgentService;
  readonly environments: EnvironmentService;
  readonly vaults: VaultService;
  readonly credentials: CredentialService;
  readonly tokens: RepositoryTokens;
  readonly files: StoredFiles;
  readonly engines: RegisteredEngines;
}

export interface HoldingsPorts {
  readonly config: Pick<SessionsConfig, 'secretsKeys' | 'files'>;
  readonly documents: SessionDocuments;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly signals: Pick<SessionSignals, 'fault'>;
}

export function createHoldings({ config, documents, files, clock, signals }: HoldingsPorts): Holdings {
  const box = new SecretBox(config.secretsKeys);
  const credentials = new CredentialService(documents, clock, box);
  return {
    agents: new AgentService(documents, clock),
    environments: new EnvironmentService(documents, clock),
    vaults: new VaultService(documents, clock, credentials),
    credentials,
    tokens: new RepositoryTokens(documents, clock, box),
    engines: new RegisteredEngines(documents, clock, box),
    files: new StoredFiles(files, documents, clock, config.files, (error) => signals.fault('files', error)),
  };
}
