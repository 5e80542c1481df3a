export { makeCertificate, type TestCertificate } from './certificate';
export { describeDeliveryLog, type DeliveryLogHarness } from './delivery-log-conformance';
export { describeDurableLog, type DurableLogHarness } from './durable-log-conformance';
export { describeReadModel, rejectPoison, type ReadModelHarness } from './read-model-conformance';
export { describeReadModelRebuilds, type RebuildHarness } from './rebuild-conformance';
export { ScriptedLog } from './scripted-log';
export { sandboxEnvelope, until } from './tools';
