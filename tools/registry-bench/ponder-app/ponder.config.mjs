// The application that is measured beside ours: what ponder's own documentation teaches, and no more. Before version 0.11
// a chain was called a network.
import { createConfig } from 'ponder';
import { http, parseAbi } from 'viem';

const { BENCH_RPC_URL, BENCH_CHAIN_ID, BENCH_IDENTITY, BENCH_REPUTATION, BENCH_START_BLOCK, BENCH_NETWORKS } =
  process.env;
const { BENCH_DATABASE_URL } = process.env;

const isOld = BENCH_NETWORKS === 'true';
const chainId = Number(BENCH_CHAIN_ID);
const startBlock = Number(BENCH_START_BLOCK);
const where = isOld ? { network: 'local' } : { chain: 'local' };
// Its own default would hold it back here.
const maxRequestsPerSecond = 100_000;

export default createConfig({
  database: BENCH_DATABASE_URL ? { kind: 'postgres', connectionString: BENCH_DATABASE_URL } : { kind: 'pglite' },
  ...(isOld
    ? { networks: { local: { chainId, transport: http(BENCH_RPC_URL), maxRequestsPerSecond } } }
    : { chains: { local: { id: chainId, rpc: BENCH_RPC_URL, maxRequestsPerSecond } } }),
  contracts: {
    Identity: {
      ...where,
      address: BENCH_IDENTITY,
      startBlock,
      abi: parseAbi([
        'event Registered(uint256 indexed agentId, string agentURI, address indexed owner)',
        'event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy)',
        'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
      ]),
    },
    Reputation: {
      ...where,
      address: BENCH_REPUTATION,
      startBlock,
      abi: parseAbi([
        'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, int128 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
        'event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex)',
        'event ResponseAppended(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, address indexed responder, string responseURI, bytes32 responseHash)',
      ]),
    },
  },
});
