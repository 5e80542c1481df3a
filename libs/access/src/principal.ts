import type { CallerLimits } from './api-keys/api-key-record';
import type { Role } from './roles';

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

/** Who is calling. Authentication gives frozen ones. */
export type Principal = ApiKeyPrincipal | SandboxPrincipal;

/** What limits are counted by: the API key, or the sandbox whatever token it uses. */
export function limitKeyOf(principal: Principal): string {
  return principal.kind === 'api_key'
    ? `key/${principal.keyId}`
    : `sandbox/${principal.workspaceId}/${principal.sandboxId}`;
}
