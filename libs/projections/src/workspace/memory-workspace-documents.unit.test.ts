import { describeWorkspaceDocuments } from '../conformance';
import { memoryHarness } from '../conformance/memory-harness';

describeWorkspaceDocuments('memory', async () => memoryHarness());
