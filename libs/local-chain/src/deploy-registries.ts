import { setTimeout as pause } from 'node:timers/promises';
import { encodeAbiParameters, encodeFunctionData, encodeEventTopics, parseAbiParameters } from 'viem';
import { EAS_ABI, IDENTITY_ABI, REPUTATION_ABI, SCHEMA_REGISTRY_ABI } from './abis';
import { IDENTITY_REGISTRY_BYTECODE, REPUTATION_REGISTRY_BYTECODE, VALIDATION_REGISTRY_BYTECODE } from './artifacts';
import { easArtifacts } from './eas-artifacts';
import { GAS } from './gas';
import { ZERO_ADDRESS, type Address, type Hex } from './hex';
import { LocalChainError } from './local-chain-error';
import type { LocalChain, MinedBlock } from './local-chain';
import type { DeployedRegistries, LocalChainEntry, RegistryCall, RegistryLog, RegistryReceipt } from './registries';
import { registryCallsOf } from './registry-calls';
import { registryEventsOf } from './registry-history';
import { registryReadsOf } from './registry-reads';

/** The schema of attestations about agents; registered as revocable and without a resolver, it has one id on all chains. */
const AGENT_SCHEMA = 'string agentId,uint8 score,string[] tags,string context';

const RECEIPT_INTERVAL_MS = 10;
const RECEIPT_TIMEOUT_MS = 60_000;

interface RawLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: Hex;
}

interface RawReceipt extends Pick<RawLog, 'blockNumber' | 'blockHash' | 'transactionHash'> {
  readonly status: Hex;
  readonly contractAddress: Address | null;
  readonly logs: readonly RawLog[];
}

/** Deploys everything from the first account. */
export async function deployRegistries(chain: LocalChain): Promise<DeployedRegistries> {
  const [deployer] = chain.accounts;
  if (deployer === undefined) throw new LocalChainError('The chain has no account');
  const { number: deployedAt } = await chain.head();
  const transact = async (transaction: { readonly to?: Address; readonly data: Hex }) =>
    receiptOf(chain, await chain.rpc<Hex>('eth_sendTransaction', [{ from: deployer, ...GAS, ...transaction }]));
  const deploy = async (bytecode: Hex, argument?: Address) => {
    const tail = argument === undefined ? '' : encodeAbiParameters(parseAbiParameters('address'), [argument]).slice(2);
    const { contractAddress } = await transact({ data: `${bytecode}${tail}` });
    if (contractAddress === null) throw new LocalChainError('A contract was not made');
    return contractAddress;
  };
  const bytecodes = easArtifacts();
  const identity = await deploy(IDENTITY_REGISTRY_BYTECODE);
  const reputation = await deploy(REPUTATION_REGISTRY_BYTECODE, identity);
  const validation = await deploy(VALIDATION_REGISTRY_BYTECODE);
  const schemaRegistry = await deploy(bytecodes.schemaRegistry);
  const eas = await deploy(bytecodes.eas, schemaRegistry);
  const registered = await transact({
    to: schemaRegistry,
    data: encodeFunctionData({
      abi: SCHEMA_REGISTRY_ABI,
      functionName: 'register',
      args: [AGENT_SCHEMA, ZERO_ADDRESS, true],
    }),
  });
  const schemaUid = topicOf(registered.logs[0], 1);
  const contractsAt = Number(registered.blockNumber);
  return registriesOf(chain, {
    identity,
    reputation,
    validation,
    eas,
    schemaRegistry,
    schemaUid,
    deployedAt,
    contractsAt,
  });
}

type Deployed = Pick<
  DeployedRegistries,
  'identity' | 'reputation' | 'validation' | 'eas' | 'schemaRegistry' | 'schemaUid' | 'deployedAt' | 'contractsAt'
>;

function registriesOf(chain: LocalChain, deployed: Deployed): DeployedRegistries {
  const calls = registryCallsOf(deployed);
  const send = ({ from, to, data }: RegistryCall) =>
    chain.rpc<Hex>('eth_sendTransaction', [{ from, to, data, ...GAS }]);
  const receipt = async (hash: Hex) => registryReceiptOf(await receiptOf(chain, hash));
  const execute = async (call: RegistryCall) => receipt(await send(call));
  const addresses = [deployed.identity, deployed.reputation, deployed.validation, deployed.eas];
  const logs = async (fromBlock = 0, toBlock?: number) => {
    const filter = {
      address: addresses,
      fromBlock: numberOf(fromBlock),
      toBlock: toBlock === undefined ? 'latest' : numberOf(toBlock),
    };
    return (await chain.rpc<readonly RawLog[]>('eth_getLogs', [filter])).map(registryLogOf);
  };
  const { attestationData, ...reads } = registryReadsOf(chain, deployed, logs);
  return {
    ...deployed,
    calls,
    send,
    receipt,
    execute,
    logs,
    ...reads,
    history: async () => registryEventsOf(deployed, await logs(), attestationData),
    register: async (action) => {
      const found = await execute(calls.register(action));
      return { ...found, agentId: BigInt(topicOf(logged(found, REGISTERED_TOPIC), 1)) };
    },
    setAgentUri: (action) => execute(calls.setAgentUri(action)),
    setMetadata: (action) => execute(calls.setMetadata(action)),
    transfer: (action) => execute(calls.transfer(action)),
    giveFeedback: async (action) => {
      const found = await execute(calls.giveFeedback(action));
      return { ...found, feedbackIndex: BigInt(logged(found, NEW_FEEDBACK_TOPIC).data.slice(0, 66)) };
    },
    revokeFeedback: (action) => execute(calls.revokeFeedback(action)),
    appendResponse: (action) => execute(calls.appendResponse(action)),
    requestValidation: (action) => execute(calls.requestValidation(action)),
    respondValidation: (action) => execute(calls.respondValidation(action)),
    attest: async (action) => {
      const found = await execute(calls.attest(action));
      return { ...found, uid: logged(found, ATTESTED_TOPIC).data };
    },
    revokeAttestation: (action) => execute(calls.revokeAttestation(action)),
    chainConfig: <Overrides extends object>(overrides?: Overrides) =>
      ({ ...entryOf(chain, deployed), ...overrides }) as LocalChainEntry & Overrides,
  };
}

const [REGISTERED_TOPIC] = encodeEventTopics({ abi: IDENTITY_ABI, eventName: 'Registered' });
const [NEW_FEEDBACK_TOPIC] = encodeEventTopics({ abi: [REPUTATION_ABI[0]], eventName: 'NewFeedback' });
const [ATTESTED_TOPIC] = encodeEventTopics({ abi: EAS_ABI, eventName: 'Attested' });

function entryOf(chain: LocalChain, deployed: Deployed): LocalChainEntry {
  return {
    chainId: chain.chainId,
    name: `Local chain ${chain.chainId}`,
    rpcUrls: [chain.rpcUrl],
    identityRegistry: deployed.identity,
    reputationRegistry: deployed.reputation,
    validationRegistry: deployed.validation,
    eas: deployed.eas,
    easSchemaUid: deployed.schemaUid,
    startBlock: deployed.deployedAt,
    confirmations: 5,
    pollIntervalMs: 100,
  };
}

async function receiptOf(chain: LocalChain, hash: Hex): Promise<RawReceipt> {
  for (const deadline = performance.now() + RECEIPT_TIMEOUT_MS; ;) {
    const found = await chain.rpc<RawReceipt | null>('eth_getTransactionReceipt', [hash]);
    if (found !== null) {
      if (found.status !== '0x1') throw new LocalChainError(`The transaction ${hash} failed`);
      return found;
    }
    if (performance.now() > deadline) throw new LocalChainError(`The transaction ${hash} is in no block`);
    await pause(RECEIPT_INTERVAL_MS);
  }
}

const numberOf = (number: MinedBlock['number']): Hex => `0x${number.toString(16)}`;

function registryReceiptOf({ transactionHash, blockNumber, blockHash, logs }: RawReceipt): RegistryReceipt {
  return { transactionHash, blockNumber: Number(blockNumber), blockHash, logs: logs.map(registryLogOf) };
}

function registryLogOf(log: RawLog): RegistryLog {
  const { address, topics, data, blockNumber, blockHash, transactionHash, logIndex } = log;
  return {
    address,
    topics,
    data,
    blockNumber: Number(blockNumber),
    blockHash,
    transactionHash,
    logIndex: Number(logIndex),
  };
}

function logged({ logs, transactionHash }: RegistryReceipt, topic: Hex): RegistryLog {
  const log = logs.find(({ topics }) => topics[0] === topic);
  if (log === undefined) throw new LocalChainError(`The transaction ${transactionHash} did not log ${topic}`);
  return log;
}

function topicOf(log: Pick<RegistryLog, 'topics'> | undefined, place: number): Hex {
  const topic = log?.topics[place];
  if (topic === undefined) throw new LocalChainError(`A log has no topic ${place}`);
  return topic;
}
