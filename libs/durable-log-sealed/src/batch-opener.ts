import { isSealed, readSealedHeader, type LogBatch, type LogRecord, type SealedHeader } from '@sluice/event-log';
import type { KeyRegistry } from './key-registry';
import type { OpeningKeys } from './opening-keys';
import type { SealedSettings } from './options';
import { openRecord } from './sealed-record';
import { isLeftOpen } from './sealed-families';

interface Candidate {
  readonly record: LogRecord;
  /** Absent: not sealed, or not in a form that is known. */
  readonly header?: SealedHeader;
}

/**
 * Opens the records of a batch. What is not sealed stays as it is. What is erased is left out. What says that it is sealed and
 * does not open is handed on as it is: it is no event, so it is parked, for people to see.
 */
export class BatchOpener {
  constructor(
    private readonly keys: OpeningKeys,
    private readonly registry: Pick<KeyRegistry, 'noteUnsealed'>,
    private readonly settings: SealedSettings,
  ) {}

  /** @throws SluiceError `read_model_unavailable`, `log_unavailable` */
  async open(batch: LogBatch): Promise<LogBatch> {
    const candidates = batch.records.map(toCandidate);
    if (candidates.some(({ record }) => !isSealed(record.value) && !isLeftOpen(record.value))) {
      await this.registry.noteUnsealed();
    }
    const keyIds = new Set(candidates.flatMap(({ header }) => header?.keyId ?? []));
    if (keyIds.size === 0) return batch;
    const keys = await this.keys.find(keyIds);
    let [erased, unreadable] = [0, 0];
    const records = candidates.flatMap(({ record, header }): readonly LogRecord[] => {
      if (!header) return [record];
      const found = keys.get(header.keyId);
      if (found && found.key === undefined) {
        erased++;
        return [];
      }
      const { keyId, entity, key } = { ...found };
      const value = keyId && entity && key ? openRecord(record.value, header, { keyId, entity, key }) : undefined;
      if (value === undefined) unreadable++;
      return [value === undefined ? record : { ...record, value }];
    });
    if (erased > 0) this.settings.onMetric({ name: 'erased_records_skipped', records: erased });
    if (unreadable > 0) this.settings.onMetric({ name: 'unreadable_records', records: unreadable });
    return { records, checkpoints: batch.checkpoints };
  }
}

function toCandidate(record: LogRecord): Candidate {
  const header = readSealedHeader(record.value);
  return header === undefined ? { record } : { record, header };
}
