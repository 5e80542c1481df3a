import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueApiKey } from '@sluice/access';
import type { AppHost } from '@sluice/engine';
import { keepFile } from '@sluice/local-postgres';
import type { readBasics } from './config';

type Basics = Pick<ReturnType<typeof readBasics>, 'SLUICE_DATA_DIR' | 'SLUICE_OPERATOR_KEYS'>;

const WORKSPACE_ID = 1;
const SANDBOX_ID = 'sandbox-123';
/** The token of the file outlives a working session; it is made anew at every start. */
const TOKEN_TTL_SECONDS = 7 * 24 * 3600;

/** Where the process can be reached. */
export interface Addresses {
  readonly baseUrl: string;
  /** The same doors on the port of agent gateways. */
  readonly gatewayUrl: string;
  readonly pubsub: { readonly host: string; readonly port: number };
}

/** What a developer, or a test, needs to call a freshly started Sluice. */
export interface DevFile extends Addresses {
  readonly workspaceId: number;
  readonly apiKey: string;
  readonly adminKey: string;
  readonly sandboxId: string;
  readonly accessToken: string;
}

/** Writes `dev.json`, readable by this user alone. The API key stays the same from start to start. */
export async function writeDevFile(
  { SLUICE_DATA_DIR: dataDir, SLUICE_OPERATOR_KEYS: operatorKeys }: Basics,
  addresses: Addresses,
  host: AppHost,
): Promise<DevFile> {
  const access = await host.access();
  const { accessToken } = await access.mintAccessToken({
    workspaceId: WORKSPACE_ID,
    sandboxId: SANDBOX_ID,
    ttlSeconds: TOKEN_TTL_SECONDS,
  });
  const file: DevFile = {
    ...addresses,
    workspaceId: WORKSPACE_ID,
    apiKey: await keepOrIssueKey(dataDir, host),
    adminKey: operatorKeys?.find((key) => key.startsWith('sk_')) ?? (await readOperatorKey(dataDir)),
    sandboxId: SANDBOX_ID,
    accessToken,
  };
  await keepFile(join(dataDir, 'dev.json'), `${JSON.stringify(file, null, 2)}\n`);
  return file;
}

async function readOperatorKey(dataDir: string): Promise<string> {
  const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as { operatorKey: string };
  return secrets.operatorKey;
}

async function keepOrIssueKey(dataDir: string, host: AppHost): Promise<string> {
  const path = join(dataDir, 'dev.json');
  const apiKey = await readApiKey(path);
  if (apiKey !== undefined) {
    const access = await host.access();
    const isValid = await access.authenticateApiKey(apiKey).then(
      () => true,
      () => false,
    );
    if (isValid) return apiKey;
  }
  const store = await host.engine.apiKeys();
  return (await issueApiKey(store, { workspaceId: WORKSPACE_ID, role: 'writer', name: 'dev' })).apiKey;
}

/** The key of the last start; undefined where the file is missing or says none, as everything in it can be made anew. */
async function readApiKey(path: string): Promise<string | undefined> {
  try {
    const { apiKey } = JSON.parse(await readFile(path, 'utf8')) as Partial<DevFile>;
    return typeof apiKey === 'string' ? apiKey : undefined;
  } catch {
    return undefined;
  }
}

/** Tells a newcomer what to do next. */
export function announce({ baseUrl, gatewayUrl, pubsub, sandboxId, accessToken, apiKey }: DevFile): void {
  process.stdout.write(`
Sluice is ready at ${baseUrl}

Watch the events of workspace 1:
  curl -N -H 'X-API-Key: ${apiKey}' ${baseUrl}/v1/stream

Store one:
  curl -X POST ${baseUrl}/events -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${accessToken}' -d '{"type":"custom.event","data":{"hello":"world"}}'

Watch its tasks, agents, chats and cron jobs:
  curl -N -H 'X-API-Key: ${apiKey}' ${gatewayUrl}/api/events

Subscribe over TCP, with any Redis client or the sandbox events client: ${pubsub.host}:${pubsub.port}
  redis-cli -h ${pubsub.host} -p ${pubsub.port} -a ${accessToken} subscribe ${sandboxId}

`);
}
