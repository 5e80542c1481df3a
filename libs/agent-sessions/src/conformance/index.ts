export { documentOf } from './document-samples';
export { bytesOf, chunksOf, HeldContent, patternOf, putText, ROOM_BYTES, textIn } from './file-samples';
export { describeFileStore, type FileStoreHarness } from './file-store-conformance';
export {
  acquaint,
  deltaOf,
  describeSessionDeltas,
  NotingFollower,
  deltaStartOf,
  type SessionDeltasHarness,
} from './session-deltas-conformance';
export { describeSessionDocuments, type SessionDocumentsHarness } from './session-documents-conformance';
export { commitOf, committed, eventOf, receiptOf, runOf, sessionOf, startOf } from './session-samples';
export { describeSessionStore, type SessionStoreHarness } from './session-store-conformance';
