import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';

/** Where the bytes of files can be kept. */
export const FILE_STORES = ['disk', 's3'] as const;

/** The settings that tell where the bytes of files are. */
export const fileSettings = defineSettings({
  SLUICE_FILES: {
    schema: setting.enum(FILE_STORES),
    default: 'disk',
    description:
      'Where files of sessions are: `disk` (a folder; with the engine `cluster`, of a volume that all its processes share) or `s3` (object storage). The engine `memory` keeps them in memory.',
  },
  SLUICE_FILES_DIR: {
    schema: setting.text().optional(),
    description: 'Folder of files. Required with `disk` by apps that keep files.',
  },
  SLUICE_S3_ENDPOINT: {
    schema: setting.url({ protocols: ['http', 'https'] }).optional(),
    description: 'Address of the object storage; without it, that of AWS in the region.',
  },
  SLUICE_S3_REGION: { schema: setting.text(), default: 'us-east-1', description: 'Region of the object storage.' },
  SLUICE_S3_BUCKET: {
    schema: setting.text().optional(),
    description: 'Bucket of files, which exists already. Required by `s3`.',
  },
  SLUICE_S3_ACCESS_KEY_ID: {
    schema: setting.text().optional(),
    description: 'Key of the object storage; without it, credentials are found as the AWS SDK finds them.',
    secret: true,
  },
  SLUICE_S3_SECRET_ACCESS_KEY: {
    schema: setting.text().optional(),
    description: 'Belongs to the access key.',
    secret: true,
  },
  SLUICE_S3_PATH_STYLE: {
    schema: setting.boolean().optional(),
    description: 'The bucket is in the path of addresses, not in the name of the host. True where an endpoint is set.',
  },
});

export type FileSettings = SettingsOf<typeof fileSettings>;

/** Where files are. */
export type FilesConfig =
  | { readonly store: 'disk'; readonly folder: string }
  | {
      readonly store: 's3';
      readonly endpoint?: string;
      readonly region: string;
      readonly bucket: string;
      readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
      readonly isPathStyle: boolean;
    };

/**
 * Undefined where no folder is set: most apps keep no files, and those that do cannot be created then.
 *
 * @throws SluiceError `configuration`
 */
export function toFilesConfig(settings: FileSettings): FilesConfig | undefined {
  const { SLUICE_FILES_DIR: folder, SLUICE_S3_BUCKET: bucket, SLUICE_S3_ENDPOINT: endpoint } = settings;
  if (settings.SLUICE_FILES === 'disk') return folder === undefined ? undefined : { store: 'disk', folder };
  if (bucket === undefined) throw new SluiceError('configuration', 'SLUICE_S3_BUCKET is required by SLUICE_FILES=s3');
  return {
    store: 's3',
    region: settings.SLUICE_S3_REGION,
    bucket,
    isPathStyle: settings.SLUICE_S3_PATH_STYLE ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...toCredentials(settings),
  };
}

type S3Config = Extract<FilesConfig, { store: 's3' }>;

function toCredentials(settings: FileSettings): Pick<S3Config, 'credentials'> {
  const { SLUICE_S3_ACCESS_KEY_ID: accessKeyId, SLUICE_S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (accessKeyId === undefined && secretAccessKey === undefined) return {};
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const message = 'SLUICE_S3_ACCESS_KEY_ID and SLUICE_S3_SECRET_ACCESS_KEY: expected both or neither';
    throw new SluiceError('configuration', message);
  }
  return { credentials: { accessKeyId, secretAccessKey } };
}
