export {
  DEFAULT_SEALED_LIMITS,
  type SealedDurableLogOptions,
  type SealedLimits,
  type SealedLogMetric,
} from './options';
export { KEY_AGE_FACTORS } from './key-age';
export { KEY_JOURNAL_GROUP } from './key-journal';
export { SealedDurableLog } from './sealed-durable-log';
