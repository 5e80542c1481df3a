import type { CallerLimits } from './api-keys/api-key-record';
import type { Role } from './roles';
import type { StreamScope } from './tokens/stream-scope';

/** The holder of an API key. */
export interface ApiKeyPrincipal {
  readonly kind: 'api_key';
  readonly keyId: string;
  /** Null for an operator only. */
  readonly workspaceId: number | null;
  readonly role: Role;
  /** Limits of this key that differ from the configured ones. */
  readonly limits: CallerLimits;
  /** When the key ends, in milliseconds since 1970. Absent: it does not. */
  readonly expiresAt?: number;
}

/** The bearer of a sandbox's access token. */
export interface SandboxPrincipal {
  readonly kind: 'sandbox';
  /** The token's `jti`, where it has one. */
  readonly tokenId?: string;
  readonly sandboxId: string;
  readonly workspaceId: number;
  /** The token's `exp`, in milliseconds since 1970. The leeway comes on top. */
  readonly expiresAt: number;
}

/** The bearer of a stream token: one key's right to stream, narrowed. */
export interface StreamPrincipal {
  readonly kind: 'stream';
  /** The key that the token was made with. */
  readonly keyId: string;
  readonly workspaceId: number;
  readonly scope: StreamScope;
  /** The token's `exp`, in milliseconds since 1970. The leeway comes on top. */
  readonly expiresAt: number;
  /** Limits of the key that differ from the configured ones. */
  readonly limits: CallerLimits;
}

/** Whoever comes over loopback without credentials to a development engine. It acts as a writer of its workspace. */
export interface LocalPrincipal {
  readonly kind: 'local';
  readonly workspaceId: number;
}

/** Who is calling. Authentication gives frozen ones. */
export type Principal = ApiKeyPrincipal | SandboxPrincipal | StreamPrincipal | LocalPrincipal;

/**
 * What limits are counted by: the API key, also for the stream tokens made with it, or the sandbox whatever token it
 * uses, or the workspace of local callers.
 */
export function limitKeyOf(principal: Principal): string {
  switch (principal.kind) {
    case 'api_key':
    case 'stream':
      return `key/${principal.keyId}`;
    case 'sandbox':
      return `sandbox/${principal.workspaceId}/${principal.sandboxId}`;
    case 'local':
      return `local/${principal.workspaceId}`;
  }
}
