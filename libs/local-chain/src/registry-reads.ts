import { decodeFunctionResult, encodeEventTopics, encodeFunctionData } from 'viem';
import { EAS_ABI, IDENTITY_ABI, REPUTATION_ABI } from './abis';
import type { Address, Hex } from './hex';
import type { LocalChain } from './local-chain';
import type { AgentOnChain, AttestationOnChain, DeployedRegistries, FeedbackOnChain } from './registries';

type Reads = Pick<DeployedRegistries, 'agentCount' | 'agent' | 'agents' | 'metadata' | 'feedback' | 'attestations'> & {
  attestationData(uid: Hex): Promise<Hex>;
};
type At = Pick<DeployedRegistries, 'identity' | 'reputation' | 'eas' | 'schemaUid'>;

const [ATTESTED_TOPIC] = encodeEventTopics({ abi: EAS_ABI, eventName: 'Attested' });

/** The truth as the contracts keep it, read at the head: nothing of it comes from logs, but which attestations there are. */
export function registryReadsOf(chain: LocalChain, at: At, logs: DeployedRegistries['logs']): Reads {
  // An id is made of what the attestation says: it never says anything else.
  const known = new Map<Hex, Hex>();
  const call = (to: Address, data: Hex) => chain.rpc<Hex>('eth_call', [{ to, data }, 'latest']);
  const abi = IDENTITY_ABI;
  const agentCount = async () => {
    const data = await call(at.identity, encodeFunctionData({ abi, functionName: 'agentCount' }));
    return decodeFunctionResult({ abi, functionName: 'agentCount', data });
  };
  const metadata = async (agentId: bigint, key: string) => {
    const data = await call(
      at.identity,
      encodeFunctionData({ abi, functionName: 'getMetadata', args: [agentId, key] }),
    );
    return decodeFunctionResult({ abi, functionName: 'getMetadata', data });
  };
  const agents = async () => {
    const data = await call(at.identity, encodeFunctionData({ abi, functionName: 'agents' }));
    return decodeFunctionResult({ abi, functionName: 'agents', data }).map(
      ({ owner, uri, wallet }, place): AgentOnChain => ({
        agentId: BigInt(place),
        owner: lowerCase(owner),
        uri,
        wallet: wallet === '0x' ? undefined : wallet,
      }),
    );
  };
  const feedbackOfAll = async (count: bigint) => {
    const functionName = 'feedbackOfAll';
    const data = await call(at.reputation, encodeFunctionData({ abi: REPUTATION_ABI, functionName, args: [count] }));
    return decodeFunctionResult({ abi: REPUTATION_ABI, functionName, data }).flatMap((entries, place) =>
      entries.map((entry) => feedbackOf(BigInt(place), entry)),
    );
  };
  return {
    agentCount,
    metadata,
    agent: async (agentId) => (await agents())[Number(agentId)],
    agents,
    feedback: async (agentId) => {
      if (agentId === undefined) return feedbackOfAll(await agentCount());
      const args = [agentId] as const;
      const functionName = 'feedbackOf';
      const data = await call(at.reputation, encodeFunctionData({ abi: REPUTATION_ABI, functionName, args }));
      const entries = decodeFunctionResult({ abi: REPUTATION_ABI, functionName, data });
      return entries.map((entry) => feedbackOf(agentId, entry));
    },
    attestationData: async (uid) => {
      const data = known.get(uid) ?? (await attestationOf(uid)).data;
      known.set(uid, data);
      return data;
    },
    attestations: async () => {
      const found: AttestationOnChain[] = [];
      for (const { address, topics, data } of await logs()) {
        if (address !== at.eas || topics[0] !== ATTESTED_TOPIC || topics[3] !== at.schemaUid) continue;
        found.push(await attestationOf(data));
      }
      return found;
    },
  };

  async function attestationOf(uid: Hex): Promise<AttestationOnChain> {
    const functionName = 'getAttestation';
    const data = await call(at.eas, encodeFunctionData({ abi: EAS_ABI, functionName, args: [uid] }));
    const { attester, revocationTime, data: said } = decodeFunctionResult({ abi: EAS_ABI, functionName, data });
    return { uid, attester: lowerCase(attester), revoked: revocationTime > 0n, data: said };
  }
}

type Entry = Omit<FeedbackOnChain, 'agentId' | 'feedbackIndex'> & { readonly index: bigint };

function feedbackOf(agentId: bigint, { index, client, ...entry }: Entry): FeedbackOnChain {
  return { ...entry, client: lowerCase(client), agentId, feedbackIndex: index };
}

const lowerCase = (address: Address) => address.toLowerCase() as Address;
