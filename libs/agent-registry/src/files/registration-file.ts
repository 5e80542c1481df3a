/** A service that an agent says it offers. */
export type AgentService = {
  readonly name: string;
  readonly endpoint: string;
  readonly version?: string;
};

/**
 * What the registration file of an agent says, cleaned and bounded: it passes `registrationFileSummarySchema` and its
 * JSON has at most `MAX_FILE_SUMMARY_BYTES` bytes. A `name` that is not given is empty.
 */
export type RegistrationFile = {
  readonly name: string;
  readonly description?: string;
  readonly image?: string;
  readonly active?: boolean;
  readonly x402Support?: boolean;
  readonly services: readonly AgentService[];
  readonly mcpEndpoint?: string;
  readonly a2aEndpoint?: string;
  readonly supportedTrust: readonly string[];
  /** OASF skills and domains as the file declares them: slugs or paths of any taxonomy. */
  readonly declaredSkills: readonly string[];
  readonly declaredDomains: readonly string[];
  /** As the file says; its unit is its writer's. */
  readonly updatedAt?: number;
};

/** Why there is no registration file. */
export const FILE_ERROR_CODES = [
  'unsupported_uri',
  'uri_too_long',
  'too_large',
  'timeout',
  'refused_address',
  'too_many_redirects',
  'http_status',
  'unreachable',
  'not_json',
  'not_an_object',
  'too_deep',
  'invalid_file',
  'busy',
] as const;

export type FileErrorCode = (typeof FILE_ERROR_CODES)[number];

export type FileError = { readonly code: FileErrorCode; readonly message: string };

/** What came of reading the file of a URI. Instants are milliseconds since 1970. */
export type FileReading =
  | {
      readonly status: 'read';
      readonly uri: string;
      /** SHA-256 of the bytes: 0x and 64 hexadecimal digits. Absent for files that stand in their URI. */
      readonly contentHash?: string;
      readonly file: RegistrationFile;
      readonly readAt: number;
    }
  | {
      readonly status: 'failed';
      readonly uri: string;
      readonly error: FileError;
      /** Whether reading the same URI again may succeed. */
      readonly retryable: boolean;
      readonly readAt: number;
    };
