import { describeAgentDirectory } from '../conformance';
import { memoryAgentHarness } from '../conformance/agent-harness';

describeAgentDirectory('memory', async () => memoryAgentHarness());
