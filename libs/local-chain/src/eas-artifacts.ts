import { readFileSync } from 'node:fs';
import type { Hex } from './hex';
import { LocalChainError } from './local-chain-error';

const PACKAGE = '@ethereum-attestation-service/eas-contracts';

/** The bytecode of the real attestation service, from its npm package, which is a development dependency of the workspace. */
export function easArtifacts(): { readonly eas: Hex; readonly schemaRegistry: Hex } {
  return { eas: bytecodeOf('EAS'), schemaRegistry: bytecodeOf('SchemaRegistry') };
}

function bytecodeOf(contract: string): Hex {
  const file = require.resolve(`${PACKAGE}/artifacts/contracts/${contract}.sol/${contract}.json`);
  const { bytecode } = JSON.parse(readFileSync(file, 'utf8')) as { readonly bytecode: string };
  if (!bytecode.startsWith('0x')) throw new LocalChainError(`${file} has no bytecode`);
  return bytecode as Hex;
}
