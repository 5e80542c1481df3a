import { describeSessionEvents } from '../conformance';
import { memorySessionHarness } from '../conformance/session-harness';

describeSessionEvents('memory', async () => memorySessionHarness());
