import type { AttestedFact } from '@sluice/agent-registry';
import { AbiReader } from '../logs/abi-reader';
import type { Endpoint } from '../rpc/endpoint';
import { callQuery, hexOf } from '../rpc/queries';
import { RpcFailure } from '../rpc/rpc-failure';

/** getAttestation(bytes32) */
const GET_ATTESTATION = '0xa3112a64';

/** More tags than this are no attestation about an agent. */
const MAX_TAGS = 100;

const REVERTED = /revert/i;

/** Where an attestation was made. */
export interface AttestationAt {
  readonly uid: string;
  readonly blockNumber: number;
}

export type Attestation = NonNullable<AttestedFact['attestation']>;

/** An answer without an attestation: the state does not have it. */
const UNKNOWN = Symbol('unknown');

/**
 * What `getAttestation` answers, decoded: undefined where there is no such attestation, or where its data does not have the
 * form (string agentId, uint8 score, string[] tags, string context).
 */
export function decodeAttestation(answer: string, uid: string): Attestation | undefined | typeof UNKNOWN {
  const struct = new AbiReader(answer).tuple(0);
  const found = struct.bytes32(0);
  if (struct.failed || found !== uid) return UNKNOWN;
  const data = struct.bytes(9);
  if (struct.failed) return undefined;
  const fields = new AbiReader(data);
  const attestation = {
    agentId: fields.text(0),
    score: fields.uint8(1),
    tags: fields.texts(2, MAX_TAGS),
    context: fields.text(3),
  };
  return fields.failed ? undefined : attestation;
}

/** A log tells of it, so a state that does not have it is not that of the chain: the endpoint lags. @throws RpcFailure */
function assertKnown(answer: string, uid: string): void {
  if (decodeAttestation(answer, uid) !== UNKNOWN) return;
  throw new RpcFailure('unavailable', 'The state does not have an attestation that a log tells of');
}

/**
 * The attestations behind these ids, at one endpoint. What an attestation says never changes, so any block that has it will
 * do: the one it was made in, and the newest one for endpoints that do not keep the state of old ones.
 * @throws RpcFailure
 */
export async function readAttestations(
  endpoint: Endpoint,
  eas: string,
  attestations: readonly AttestationAt[],
  newestFirst: boolean,
  signal: AbortSignal,
): Promise<readonly (Attestation | undefined)[]> {
  const read = async (some: readonly AttestationAt[], newest: boolean) =>
    endpoint.each(
      some.map(({ uid, blockNumber }) => ({
        ...callQuery(eas, `${GET_ATTESTATION}${uid.slice(2)}`, newest ? 'latest' : hexOf(blockNumber)),
      })),
      signal,
    );
  const found = new Map<string, Attestation | undefined>();
  let open = attestations;
  for (const newest of [newestFirst, !newestFirst]) {
    const answers = await read(open, newest);
    const failed: AttestationAt[] = [];
    open.forEach((asked, place) => {
      const answer = answers[place];
      // A state that the endpoint does not keep may be asked for otherwise; a reverted call is an answer.
      const isLast = newest !== newestFirst;
      if (answer instanceof RpcFailure && (answer.kind !== 'refused' || (isLast && !REVERTED.test(answer.message)))) {
        throw answer;
      }
      if (isLast && answer !== undefined && !(answer instanceof RpcFailure)) assertKnown(answer.value, asked.uid);
      const decoded =
        answer === undefined || answer instanceof RpcFailure ? UNKNOWN : decodeAttestation(answer.value, asked.uid);
      if (decoded === UNKNOWN) failed.push(asked);
      else found.set(asked.uid, decoded);
    });
    open = failed;
    if (open.length === 0) break;
  }
  return attestations.map(({ uid }) => found.get(uid));
}
