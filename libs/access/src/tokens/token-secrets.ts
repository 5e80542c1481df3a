import type { TokenSecretConfig } from '../access-config';

export interface TokenSecret {
  readonly kid: string | undefined;
  readonly bytes: Uint8Array;
}

/** The HS256 secrets, the one that signs first. */
export function tokenSecrets(configured: readonly TokenSecretConfig[]): readonly TokenSecret[] {
  return configured.map(({ kid, secret }) => ({ kid, bytes: new TextEncoder().encode(secret) }));
}
