import type { ChannelDescription, JsonObject, Operation } from '@sluice/api-description';

export function describeAll(): {
  readonly operations: readonly Operation[];
  readonly channels: readonly ChannelDescription[];
};
export function makeDocuments(): { readonly openapi: JsonObject; readonly asyncapi: JsonObject };
export const DOCUMENT_FOLDERS: readonly string[];
export const root: string;
