import { SluiceError, type ErrorCode, type SluiceErrorOptions } from '@sluice/event-log';

/** The error codes by which the SDK chooses classes of its own. */
export type SdkErrorCode =
  | 'environment_archived'
  | 'environment_not_found'
  | 'file_expired'
  | 'file_not_downloadable'
  | 'invalid_config_type_change'
  | 'invalid_metadata'
  | 'storage_quota_exceeded';

/** A refusal that callers of the SDK know by a code of its own. */
export class SdkRefusal extends SluiceError {
  constructor(
    code: ErrorCode,
    readonly sdkCode: SdkErrorCode,
    message: string,
    options: SluiceErrorOptions = {},
  ) {
    super(code, message, options);
  }
}
