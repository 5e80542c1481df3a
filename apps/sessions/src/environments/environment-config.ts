import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import { SdkRefusal } from '../refusal';

const MANAGERS = ['apt', 'cargo', 'gem', 'go', 'npm', 'pip'] as const;
/** Of each package manager. */
const MAX_PACKAGES = 200;
const MAX_HOSTS = 256;

const flag = z.boolean().nullish();
const packageNames = z.array(z.string().min(1).max(256)).max(MAX_PACKAGES).nullish();

const networkField = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('unrestricted') }),
  z.strictObject({
    type: z.literal('limited'),
    allow_mcp_servers: flag,
    allow_package_managers: flag,
    allowed_hosts: z.array(z.string().min(1).max(253)).max(MAX_HOSTS).nullish(),
  }),
]);

/** Where tools run, as callers give it. */
export const environmentConfigField = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('cloud'),
    networking: networkField.nullish(),
    packages: z
      .strictObject({
        type: z.literal('packages').optional(),
        ...(Object.fromEntries(MANAGERS.map((name) => [name, packageNames])) as Record<
          (typeof MANAGERS)[number],
          typeof packageNames
        >),
      })
      .nullish(),
  }),
  z.strictObject({ type: z.literal('self_hosted') }),
]);

type ConfigParams = z.output<typeof environmentConfigField>;
type NetworkParams = z.output<typeof networkField>;

type Network =
  | { readonly type: 'unrestricted' }
  | {
      readonly type: 'limited';
      readonly allow_mcp_servers: boolean;
      readonly allow_package_managers: boolean;
      readonly allowed_hosts: readonly string[];
    };

/** Where tools run, in full. */
export type EnvironmentConfig =
  | { readonly type: 'self_hosted' }
  | {
      readonly type: 'cloud';
      readonly networking: Network;
      readonly packages: Readonly<Record<(typeof MANAGERS)[number], readonly string[]>> & { readonly type: 'packages' };
    };

/**
 * A configuration in full. What is not given stays as it was before.
 * @throws SluiceError `invalid_request`, for a change of its type too
 */
export function toEnvironmentConfig(
  params: ConfigParams | null | undefined,
  before?: EnvironmentConfig,
): EnvironmentConfig {
  if (params == null) return before ?? toEnvironmentConfig({ type: 'cloud' });
  if (before !== undefined && before.type !== params.type) {
    const where = 'config.type';
    const message = `${where}: the type of an environment does not change`;
    throw new SdkRefusal('invalid_request', 'invalid_config_type_change', message, { where });
  }
  if (params.type === 'self_hosted') return { type: 'self_hosted' };
  const known = before?.type === 'cloud' ? before : undefined;
  const networking = toNetwork(params.networking, known?.networking);
  const packages = Object.fromEntries(
    MANAGERS.map((name) => [name, params.packages?.[name] ?? known?.packages[name] ?? []]),
  ) as Record<(typeof MANAGERS)[number], readonly string[]>;
  const needsManagers = MANAGERS.some((name) => packages[name].length > 0);
  if (needsManagers && networking.type === 'limited' && !networking.allow_package_managers) {
    const where = 'config.networking.allow_package_managers';
    throw new SluiceError('invalid_request', `${where}: must be true where packages are named`, { where });
  }
  return { type: 'cloud', networking, packages: { type: 'packages', ...packages } };
}

function toNetwork(params: NetworkParams | null | undefined, before: Network | undefined): Network {
  if (params == null) return before ?? { type: 'unrestricted' };
  if (params.type === 'unrestricted') return params;
  const known = before?.type === 'limited' ? before : undefined;
  return {
    type: 'limited',
    allow_mcp_servers: params.allow_mcp_servers ?? known?.allow_mcp_servers ?? false,
    allow_package_managers: params.allow_package_managers ?? known?.allow_package_managers ?? false,
    allowed_hosts: params.allowed_hosts ?? known?.allowed_hosts ?? [],
  };
}
