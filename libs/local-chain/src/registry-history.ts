import { decodeAbiParameters, decodeEventLog, parseAbiParameters } from 'viem';
import { EAS_ABI, IDENTITY_ABI, REPUTATION_ABI, VALIDATION_ABI } from './abis';
import type { Hex } from './hex';
import type { DeployedRegistries, RegistryEvent, RegistryLog } from './registries';

type At = Pick<DeployedRegistries, 'identity' | 'reputation' | 'validation' | 'eas' | 'schemaUid'>;

const ATTESTATION_DATA = parseAbiParameters('string agentId, uint8 score, string[] tags, string context');

/** Logs of the registries in words. Other logs, such as those of other schemas, are left out. */
export async function registryEventsOf(
  at: At,
  logs: readonly RegistryLog[],
  attestationData: (uid: Hex) => Promise<Hex>,
): Promise<readonly RegistryEvent[]> {
  const events: RegistryEvent[] = [];
  for (const log of logs) {
    const decoded = decode(at, log);
    if (decoded === undefined) continue;
    const { name, args } = decoded;
    const said = name === 'Attested' ? attestationArgs(await attestationData(args['uid'] as Hex)) : {};
    events.push({ name, args: { ...args, ...said }, log });
  }
  return events;
}

function decode(at: At, { address, topics, data }: RegistryLog): Pick<RegistryEvent, 'name' | 'args'> | undefined {
  const abi = {
    [at.identity]: IDENTITY_ABI,
    [at.reputation]: REPUTATION_ABI,
    [at.validation]: VALIDATION_ABI,
    [at.eas]: EAS_ABI,
  }[address];
  const [first, ...rest] = topics;
  if (abi === undefined || first === undefined) return undefined;
  if (address === at.eas && topics[3] !== at.schemaUid) return undefined;
  const { eventName, args } = decodeEventLog({ abi, data, topics: [first, ...rest] });
  return { name: eventName, args: { ...(args as object) } };
}

/** Nothing where the attestation does not have the form of the schema. */
function attestationArgs(data: Hex): Readonly<Record<string, unknown>> {
  try {
    const [agentId, score, tags, context] = decodeAbiParameters(ATTESTATION_DATA, data);
    return { agentId, score, tags, context };
  } catch {
    return {};
  }
}
