import type { ChainDocument } from '../chain-store';
import type { FileReading } from '../files/registration-file';
import { agentKey, fileKey, type FileValue } from './documents';
import { keptUri, stepToReading } from './file-state';
import { tokenIdOf } from './keys';
import { LedgerRun, OFF_CHAIN } from './ledger-run';
import type { LedgerContext, LedgerOutcome } from './ledger-types';
import { settleFile } from './observations';

/** A registration file that is to be read. */
export interface FileRequest {
  readonly tokenId: string;
  readonly uri: string;
}

/** What a due document of kind `file` asks for. */
export function fileRequestOf(document: ChainDocument): FileRequest | undefined {
  const { uri, status } = document.value as FileValue;
  return status === 'none' ? undefined : { tokenId: tokenIdOf(document), uri };
}

/** What changed where no field did: whether the file can be read, or why not. */
const UNREADABLE = 'registrationFile';

/**
 * What a reading makes of the documents of `fileKeys`. There is an event when fields of the file are others than before,
 * or the error is another, or there is none any more. A reading of a URI that is no longer the agent's is ignored.
 */
export function applyFile(
  documents: ReadonlyMap<string, ChainDocument>,
  tokenId: string,
  reading: FileReading,
  context: LedgerContext,
): LedgerOutcome {
  const run = new LedgerRun(documents, context);
  const before = run.find<FileValue>(fileKey(tokenId));
  const isKnown = before !== undefined && run.find(agentKey(tokenId)) !== undefined;
  if (!isKnown || before.status === 'none' || before.uri !== keptUri(reading.uri)) {
    run.ignore('outdated_result');
    return run.outcome();
  }
  const step = stepToReading(before, before.uri, reading, tokenId, context);
  if (step.changes.length > 0 || before.error?.code !== step.value.error?.code) {
    const changes = step.changes.length > 0 ? step.changes : [UNREADABLE];
    run.emit(OFF_CHAIN, 'agent_updated', tokenId, { changes, registration: step.detail });
  }
  settleFile(run, OFF_CHAIN, tokenId, step);
  return run.outcome();
}
