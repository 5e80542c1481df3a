import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newApiKeyText } from '@sluice/access';

const WORKSPACE_ID = 1;
const SANDBOX_ID = 'sandbox-123';
const TOKEN_TTL_SECONDS = 7 * 24 * 3600;

/**
 * The secrets of this data folder, made once and kept; the one-process app uses the same file.
 *
 * @returns {Promise<{ tokenSecret: string, operatorKey: string, sealingKey: string }>}
 */
export async function readOrMakeSecrets(dataDir) {
  const file = join(dataDir, 'secrets.json');
  await mkdir(dataDir, { recursive: true });
  const kept = await readJson(file);
  if (kept !== undefined && (typeof kept?.tokenSecret !== 'string' || typeof kept?.operatorKey !== 'string')) {
    throw new Error(`${file} has no tokenSecret or no operatorKey; remove it to have new ones made`);
  }
  if (typeof kept?.sealingKey === 'string') return kept;
  // A folder of before secrets were kept gets the key that seals them.
  const made = { tokenSecret: randomBytes(32).toString('hex'), operatorKey: newApiKeyText(), ...kept };
  const secrets = { ...made, sealingKey: randomBytes(32).toString('base64') };
  await writePrivate(file, secrets);
  return secrets;
}

/**
 * Writes `dev.json`: what a developer, or a test, needs to call the cluster. Keys are made by the query app's own
 * administration door.
 */
export async function writeDevFile({ dataDir, baseUrl, pubsub, adminKey }) {
  const file = join(dataDir, 'dev.json');
  // Everything in it can be made anew, so a damaged one is no fault.
  const kept = await readJson(file).catch(() => undefined);
  const admin = (path, body) => post(`${baseUrl}${path}`, adminKey, body);
  const { accessToken } = await admin('/v1/admin/tokens', {
    workspaceId: WORKSPACE_ID,
    sandboxId: SANDBOX_ID,
    ttlSeconds: TOKEN_TTL_SECONDS,
  });
  const apiKey = (await isValidKey(baseUrl, kept?.apiKey))
    ? kept.apiKey
    : (await admin('/v1/admin/keys', { workspaceId: WORKSPACE_ID, role: 'writer', name: 'dev' })).apiKey;
  const dev = { baseUrl, pubsub, workspaceId: WORKSPACE_ID, apiKey, adminKey, sandboxId: SANDBOX_ID, accessToken };
  await writePrivate(file, dev);
  return dev;
}

async function isValidKey(baseUrl, apiKey) {
  if (!apiKey) return false;
  const response = await fetch(`${baseUrl}/v1/stats`, { headers: { 'x-api-key': apiKey } });
  await response.arrayBuffer();
  return response.ok;
}

async function post(url, apiKey, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`${file} cannot be read: ${error.message}`, { cause: error });
  }
}

/** In two steps, so that nobody reads half of it; readable by this user alone. */
async function writePrivate(file, value) {
  await writeFile(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
