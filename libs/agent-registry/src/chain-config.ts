import { z } from 'zod';

const addressSchema = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hexadecimal digits');
const hashSchema = z.string().regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x and 64 hexadecimal digits');
const httpUrlSchema = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const webSocketUrlSchema = z.url({ protocol: /^wss?$/, error: 'must be a ws or wss URL' });

/** Most chains of one file. */
export const MAX_CHAINS = 100;

/** Most RPC endpoints of one chain. */
export const MAX_RPC_URLS = 10;

/** The schema of attestations about agents that the registry events document means; the same on every chain. */
export const AGENT_ATTESTATION_SCHEMA_UID = '0x38a8d2b73c84f64eab779c8f5718d24646299f77c89ae4f5f8e17dbe04460fa8';

interface Endpoints {
  readonly rpcUrl?: string | undefined;
  readonly rpcUrls?: readonly string[] | undefined;
}

/** One chain to watch, as it stands in the file of `SLUICE_CHAINS_FILE`. */
export const chainConfigSchema = z
  .strictObject({
    chainId: z.int().min(1),
    name: z.string().min(1).max(100),
    rpcUrl: httpUrlSchema.optional(),
    rpcUrls: z.array(httpUrlSchema).min(1).max(MAX_RPC_URLS).optional(),
    wsUrl: webSocketUrlSchema.optional(),
    identityRegistry: addressSchema,
    reputationRegistry: addressSchema,
    validationRegistry: addressSchema.optional(),
    eas: addressSchema.optional(),
    easSchemaUid: hashSchema.default(AGENT_ATTESTATION_SCHEMA_UID),
    startBlock: z.int().min(0),
    confirmations: z.int().min(0).max(10_000).meta({
      description: 'Blocks above a block after which it is final: deeper reorganisations halt the chain.',
    }),
    pollIntervalMs: z.int().min(50).max(600_000),
    delivery: z.enum(['immediate', 'confirmed']).default('immediate').meta({
      description: '`immediate`: events at once, with compensation. `confirmed`: events of final blocks only.',
    }),
    agreement: z.int().min(1).max(MAX_RPC_URLS).optional().meta({
      description: 'How many endpoints have to give the same answer. Default: 2 where there are several, else 1.',
    }),
    maxBlockRange: z.int().min(1).max(1_000_000).default(10_000).meta({
      description: 'Most blocks in one request for logs; what a provider refuses is learned.',
    }),
  })
  .refine((chain) => (chain.rpcUrl === undefined) !== (chain.rpcUrls === undefined), {
    path: ['rpcUrl'],
    error: 'exactly one of rpcUrl and rpcUrls must be given',
  })
  .refine(({ agreement = 1, ...chain }) => agreement <= Math.max(1, rpcUrlsOf(chain).length), {
    path: ['agreement'],
    error: 'must be at most the number of its endpoints',
  });

export type ChainConfigInput = z.input<typeof chainConfigSchema>;
export type ChainConfig = z.output<typeof chainConfigSchema>;

/** The file of chains: an array without two entries for one chain. */
export const chainsFileSchema = z
  .array(chainConfigSchema)
  .max(MAX_CHAINS)
  .refine((chains) => new Set(chains.map(({ chainId }) => chainId)).size === chains.length, {
    error: 'two entries have the same chainId',
  });

/** The RPC endpoints of a chain, in the order of preference. */
export function rpcUrlsOf(chain: Endpoints): readonly string[] {
  return chain.rpcUrls ?? (chain.rpcUrl === undefined ? [] : [chain.rpcUrl]);
}
