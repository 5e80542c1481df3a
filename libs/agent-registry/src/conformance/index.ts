export { chainStoreConformance, type ChainStoreHarness } from './chain-store-conformance';
