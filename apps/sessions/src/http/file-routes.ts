import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { CallerLimiter } from '@sluice/access';
import type { SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { repeatableId, toTime } from '../documents/shelf';
import { listFiles } from '../files/file-list';
import type { StoredFiles } from '../files/stored-files';
import { UploadSlots } from '../files/upload-slots';
import { idField } from '../sessions/session-params';
import { cursorOf, pageFields, partOf } from './document-pages';
import { DOWNLOAD_PACE, requireProgress } from './download-pace';
import { listField } from './paging';
import { ANSWERED, type SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';
import { takeUploadedFile } from './uploaded-file';

const tag = 'files';
const path = '/v1/files/{fileId}';
const params = z.object({ fileId: idField });
const fileSchema = z.object({
  id: z.string(),
  type: z.literal('file'),
  filename: z.string(),
  mime_type: z.string(),
  size_bytes: z.int(),
  created_at: z.string(),
  downloadable: z.boolean(),
  expires_at: z.string().nullable(),
  scope: z.object({ id: z.string(), type: z.literal('session') }).nullable(),
});
const refusals = { 404: 'There is no such file, or it has expired.' } as const;

export const fileRoutes = {
  upload: defineSdkRoute({
    method: 'POST',
    path: '/v1/files',
    tag,
    summary: 'Upload a file',
    description: 'Stored as it comes. The parts may be in any order.',
    form: z.object({
      file: z.string().meta({ format: 'binary' }),
      expires_in_seconds: z.int().min(3_600).max(7_776_000).optional(),
    }),
    answer: fileSchema,
    refusals: { 413: 'It is larger than files may be.' },
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/files',
    tag,
    summary: 'List files, the newest first',
    description: '`before_id` and `after_id` are for older callers, who find their place by `first_id` and `last_id`.',
    query: {
      ...pageFields,
      scope_id: idField.optional(),
      'ids[]': listField(idField),
      before_id: idField.optional(),
      after_id: idField.optional(),
    },
    answer: pageOf(fileSchema).extend({
      has_more: z.boolean(),
      first_id: z.string().nullable(),
      last_id: z.string().nullable(),
    }),
  }),
  get: defineSdkRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read what is known of a file',
    params,
    answer: fileSchema,
    refusals,
  }),
  download: defineSdkRoute({
    method: 'GET',
    path: `${path}/content`,
    tag,
    summary: 'Download a file',
    params,
    answer: 'bytes',
    refusals,
  }),
  delete: defineSdkRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Delete a file',
    params,
    answer: z.object({ id: z.string(), type: z.literal('file_deleted') }),
    refusals,
    takesKey: false,
  }),
};

const LIST = 'files';

export function openFiles(
  door: SdkDoor,
  files: StoredFiles,
  documents: SessionDocuments,
  limiter: Pick<CallerLimiter, 'openConnection'>,
): void {
  door.on(fileRoutes.list, async ({ workspaceId, query }) => {
    const { scope_id: sessionId, 'ids[]': ids, before_id: beforeId, after_id: afterId } = query;
    const { limit, after } = partOf(LIST, query);
    const { documents: found, last } = await listFiles(documents, {
      workspaceId,
      limit,
      ...(after && { after }),
      ...(sessionId !== undefined && { sessionId }),
      ...(ids !== undefined && { ids }),
      ...(beforeId !== undefined && { beforeId }),
      ...(afterId !== undefined && { afterId }),
    });
    return {
      data: found.filter((file) => !files.isExpired(file)).map(fileView),
      // The other way there is no page to go on to.
      next_page: beforeId === undefined ? cursorOf(LIST, last) : null,
      has_more: last !== undefined,
      first_id: found.at(0)?.id ?? null,
      last_id: found.at(-1)?.id ?? null,
    };
  });
  door.on(fileRoutes.get, async ({ workspaceId, params: { fileId } }) =>
    fileView(await files.require(workspaceId, fileId)),
  );
  door.on(fileRoutes.download, async ({ workspaceId, principal, params: { fileId }, request, reply }) => {
    const document = await files.require(workspaceId, fileId);
    const isWhole = request.method !== 'HEAD';
    if (isWhole) {
      const lease = limiter.openConnection(principal);
      reply.raw.once('close', () => lease.release());
      // Gone meanwhile, so that nothing closes any more.
      if (reply.raw.destroyed) lease.release();
    }
    const { sizeBytes, content } = await files.read(document);
    reply.headers({
      'content-type': String(document.fields['mime_type']),
      'content-length': sizeBytes,
      'content-disposition': `attachment; filename*=UTF-8''${encodeFilename(String(document.fields['filename']))}`,
      'x-content-type-options': 'nosniff',
    });
    // Whoever asks for the head alone costs no bytes.
    void reply.send(Readable.from(isWhole ? content : [], { objectMode: false }));
    if (isWhole) requireProgress(reply.raw, DOWNLOAD_PACE);
    return ANSWERED;
  });
  door.on(fileRoutes.delete, async ({ workspaceId, params: { fileId } }) => {
    await files.remove(workspaceId, fileId);
    return { id: fileId, type: 'file_deleted' };
  });
}

/** Forms are read in a scope of their own: no other door takes them. */
export function openUploads(
  fastify: FastifyInstance,
  doorOf: (scope: FastifyInstance) => SdkDoor,
  files: StoredFiles,
  maxUploads: number,
): void {
  const slots = new UploadSlots(maxUploads);
  void fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(multipart);
    scope.addContentTypeParser('*', (_request, _payload, done) => {
      done(new SluiceError('unsupported_media_type', 'Content-Type must be multipart/form-data'));
    });
    doorOf(scope).on(
      fileRoutes.upload,
      async ({ workspaceId, request, repetition }) =>
        fileView(
          await takeUploadedFile(request, (file) =>
            slots.run(workspaceId, () =>
              files.add({
                ...file,
                workspaceId,
                ...(repetition.key !== undefined && { id: repeatableId('file', repetition) }),
              }),
            ),
          ),
        ),
      { streamedBody: true },
    );
  });
}

/** A file in the form of the SDK. */
function fileView({ id, fields, parentId, createdAtMs, expiresAtMs }: SessionDocument) {
  const { filename, mime_type, size_bytes, downloadable } = fields;
  return {
    id,
    type: 'file' as const,
    filename,
    mime_type,
    size_bytes,
    created_at: toTime(createdAtMs),
    downloadable,
    expires_at: expiresAtMs === null ? null : toTime(expiresAtMs),
    scope: parentId === null ? null : { id: parentId, type: 'session' as const },
  };
}

/** As RFC 8187 has it: more is escaped than in addresses. Half a pair is no character and becomes a sign for that. */
function encodeFilename(name: string): string {
  return encodeURIComponent(Buffer.from(name).toString()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
