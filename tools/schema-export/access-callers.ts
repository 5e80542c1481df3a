import { createHmac } from 'node:crypto';
import type { Caller } from './access-rules.cjs';
import { FOREIGN_WORKSPACE_ID, SANDBOX_ID, WORKSPACE_ID } from './access-world';
import { OPERATOR_KEY, TOKEN_SECRET } from './described-process';

/** What a caller sends to show who it is. */
export interface Presented {
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the query, without `?`. */
  readonly query?: string;
  /** The one text of a credential, where a door has no headers. */
  readonly text?: string;
}

/** Why a credential is refused before anything is asked of its rights. */
export type BadCaller =
  | 'none'
  | 'malformedKey'
  | 'unknownKey'
  | 'revokedKey'
  | 'expiredToken'
  | 'forgedToken'
  | 'unsignedToken'
  | 'keyInQuery'
  | 'keyAsStreamToken'
  | 'badKeyBesideGoodToken'
  | 'basic';

export interface Callers {
  readonly good: Readonly<Record<Caller, Presented>>;
  readonly bad: Readonly<Record<BadCaller, Presented>>;
  /** A good key with another credential beside it. */
  readonly keyBesideBadToken: Presented;
  /** A stream token in the address, as browsers send it. */
  readonly streamTokenInQuery: Presented;
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with any claims; with `alg: none`, unsigned. */
export function forgeToken(claims: object, secret = TOKEN_SECRET, alg: 'HS256' | 'none' = 'HS256'): string {
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${alg === 'none' ? '' : createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const byKey = (text: string): Presented => ({ headers: { 'x-api-key': text }, text });
const byBearer = (text: string): Presented => ({ headers: { authorization: `Bearer ${text}` }, text });

/** Makes a caller of every kind, with the doors of the process. */
export async function makeCallers(url: string): Promise<Callers> {
  const call = async (method: string, path: string, key: string, body?: object) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  const newKey = async (role: string, workspaceId = WORKSPACE_ID) => {
    const { apiKey = '', keyId = '' } = await call('POST', '/v1/admin/keys', OPERATOR_KEY, {
      role,
      name: role,
      workspaceId,
    });
    return { apiKey, keyId };
  };
  const admin = (await newKey('admin')).apiKey;
  const revoked = await newKey('admin');
  await call('DELETE', `/v1/admin/keys/${revoked.keyId}`, admin);
  const { token: streamToken = '' } = await call('POST', '/v1/stream-tokens', admin, { scope: {} });
  const claims = { sandboxId: SANDBOX_ID, workspaceId: WORKSPACE_ID, exp: inSeconds(3600) };
  const sandboxToken = forgeToken(claims);
  return {
    good: {
      reader: byKey((await newKey('reader')).apiKey),
      writer: byKey((await newKey('writer')).apiKey),
      admin: byKey(admin),
      operator: byKey(OPERATOR_KEY),
      foreign: byKey((await newKey('admin', FOREIGN_WORKSPACE_ID)).apiKey),
      sandbox: byBearer(sandboxToken),
      otherSandbox: byBearer(forgeToken({ ...claims, sandboxId: 'sandbox-456' })),
      stream: byBearer(streamToken),
    },
    bad: {
      none: {},
      malformedKey: byKey('sk_short'),
      unknownKey: byKey(`sk_${'u'.repeat(43)}`),
      revokedKey: byKey(revoked.apiKey),
      expiredToken: byBearer(forgeToken({ ...claims, exp: inSeconds(-60) })),
      forgedToken: byBearer(forgeToken(claims, 'a secret that the process does not have')),
      unsignedToken: byBearer(forgeToken(claims, '', 'none')),
      keyInQuery: { query: `api_key=${admin}&apiKey=${admin}&key=${admin}` },
      keyAsStreamToken: { query: `token=${admin}` },
      badKeyBesideGoodToken: {
        headers: { 'x-api-key': `sk_${'u'.repeat(43)}`, authorization: `Bearer ${admin}` },
      },
      basic: { headers: { authorization: `Basic ${Buffer.from(`key:${admin}`).toString('base64')}` } },
    },
    keyBesideBadToken: { headers: { 'x-api-key': admin, authorization: 'Bearer nonsense' } },
    streamTokenInQuery: { query: `token=${streamToken}` },
  };
}
