import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';

const secret = z.string().min(1).max(16_384);
const serverUrl = z.url({ protocol: /^https?$/ }).max(2_048);
const time = z.iso.datetime({ offset: true, error: 'must be a time as in RFC 3339' });
const scope = z.string().max(4_096);

const host = z.string().regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'must be a host name');
const networking = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('unrestricted') }),
  z.strictObject({ type: z.literal('limited'), allowed_hosts: z.array(host).min(1).max(16) }),
]);
const locations = z.strictObject({ body: z.boolean().optional(), header: z.boolean().optional() });

const endpointAuth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('client_secret_basic'), client_secret: secret }),
  z.strictObject({ type: z.literal('client_secret_post'), client_secret: secret }),
]);

/** How a credential proves who asks, as callers give it: with its secrets. */
export const createAuthField = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('static_bearer'), mcp_server_url: serverUrl, token: secret }),
  z.strictObject({
    type: z.literal('mcp_oauth'),
    mcp_server_url: serverUrl,
    access_token: secret,
    expires_at: time.nullish(),
    refresh: z
      .strictObject({
        client_id: z.string().min(1).max(2_048),
        refresh_token: secret,
        token_endpoint: serverUrl,
        token_endpoint_auth: endpointAuth,
        resource: z.string().max(2_048).nullish(),
        scope: scope.nullish(),
      })
      .nullish(),
  }),
  z.strictObject({
    type: z.literal('environment_variable'),
    secret_name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, 'must be the name of an environment variable'),
    secret_value: secret,
    networking,
    injection_location: locations.optional(),
  }),
]);

const endpointAuthUpdate = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('client_secret_basic'), client_secret: secret.nullish() }),
  z.strictObject({ type: z.literal('client_secret_post'), client_secret: secret.nullish() }),
]);

/** What of it can change. */
export const updateAuthField = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('static_bearer'), token: secret.nullish() }),
  z.strictObject({
    type: z.literal('mcp_oauth'),
    access_token: secret.nullish(),
    expires_at: time.nullish(),
    refresh: z
      .strictObject({
        refresh_token: secret.nullish(),
        scope: scope.nullish(),
        token_endpoint_auth: endpointAuthUpdate.optional(),
      })
      .nullish(),
  }),
  z.strictObject({
    type: z.literal('environment_variable'),
    secret_value: secret.nullish(),
    networking: networking.nullish(),
    injection_location: locations.optional(),
  }),
]);

export type CreateAuth = z.output<typeof createAuthField>;
export type UpdateAuth = z.output<typeof updateAuthField>;

/** Secrets by what they are. */
export type Secrets = Readonly<Record<string, string>>;

/** What is shown of an authentication, and what is not. */
export interface SplitAuth {
  readonly shown: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly secrets: Secrets;
}

interface ShownRefresh {
  readonly token_endpoint_auth: { readonly type: string };
  readonly scope?: string;
}

export function splitAuth(auth: CreateAuth): SplitAuth {
  switch (auth.type) {
    case 'static_bearer': {
      const { token, ...shown } = auth;
      return { shown, secrets: { token } };
    }
    case 'environment_variable': {
      const { secret_value: value, injection_location: given, ...rest } = auth;
      return { shown: { ...rest, injection_location: toLocations(given) }, secrets: { secret_value: value } };
    }
    case 'mcp_oauth': {
      const { access_token: accessToken, expires_at: expiresAt, refresh, ...rest } = auth;
      const shown = { ...rest, expires_at: expiresAt ?? null, refresh: null };
      if (refresh == null) return { shown, secrets: { access_token: accessToken } };
      const { refresh_token: refreshToken, token_endpoint_auth: endpoint, resource, scope: asked, ...known } = refresh;
      return {
        shown: {
          ...shown,
          refresh: {
            ...known,
            token_endpoint_auth: { type: endpoint.type },
            resource: resource ?? null,
            scope: asked ?? null,
          },
        },
        secrets: {
          access_token: accessToken,
          refresh_token: refreshToken,
          ...('client_secret' in endpoint && { client_secret: endpoint.client_secret }),
        },
      };
    }
  }
}

/**
 * What is shown after a change, and the secrets that are new. In which way a client proves itself does not change, even when
 * a secret is given for the other one.
 * @throws SluiceError `invalid_request` for another type, for a refresh and for a client secret that it has not
 */
export function changeAuth(before: SplitAuth['shown'], change: UpdateAuth): SplitAuth {
  if (before.type !== change.type) throw invalid('auth.type', 'the type of a credential does not change');
  switch (change.type) {
    case 'static_bearer':
      return { shown: before, secrets: present({ token: change.token }) };
    case 'environment_variable': {
      const { secret_value: value, networking: network, injection_location: given } = change;
      const shown = {
        ...before,
        ...(network != null && { networking: network }),
        ...(given && { injection_location: toLocations(given, before['injection_location'] as Locations) }),
      };
      return { shown, secrets: present({ secret_value: value }) };
    }
    case 'mcp_oauth': {
      const { access_token: accessToken, expires_at: expiresAt, refresh } = change;
      const shown = { ...before, ...(expiresAt != null && { expires_at: expiresAt }) };
      if (refresh == null) return { shown, secrets: present({ access_token: accessToken }) };
      const known = before['refresh'] as ShownRefresh | null;
      if (known === null) throw invalid('auth.refresh', 'the credential has no refresh token');
      const endpoint = refresh.token_endpoint_auth;
      if (endpoint && known.token_endpoint_auth.type === 'none') {
        throw invalid('auth.refresh.token_endpoint_auth', 'the credential has no client secret');
      }
      return {
        shown: {
          ...shown,
          refresh: {
            ...known,
            ...(refresh.scope != null && { scope: refresh.scope === '' ? null : refresh.scope }),
          },
        },
        secrets: present({
          access_token: accessToken,
          refresh_token: refresh.refresh_token,
          client_secret: endpoint?.client_secret,
        }),
      };
    }
  }
}

/** @throws SluiceError `invalid_request` for an access token that has expired */
export function requireNotExpired(auth: CreateAuth | UpdateAuth | undefined, nowMs: number): void {
  if (auth?.type !== 'mcp_oauth' || auth.expires_at == null || Date.parse(auth.expires_at) > nowMs) return;
  throw invalid('auth.expires_at', 'must be in the future');
}

interface Locations {
  readonly body: boolean;
  readonly header: boolean;
}

/** Headers alone, unless it is said otherwise. */
function toLocations(
  given: { readonly body?: boolean | undefined; readonly header?: boolean | undefined } | undefined,
  before: Locations = { body: false, header: true },
): Locations {
  const locations = { body: given?.body ?? before.body, header: given?.header ?? before.header };
  if (!locations.body && !locations.header) throw invalid('auth.injection_location', 'one of them has to be true');
  return locations;
}

function present(secrets: Readonly<Record<string, string | null | undefined>>): Secrets {
  return Object.fromEntries(Object.entries(secrets).flatMap(([name, value]) => (value == null ? [] : [[name, value]])));
}

function invalid(where: string, message: string): SluiceError {
  return new SluiceError('invalid_request', `${where}: ${message}`, { where });
}
