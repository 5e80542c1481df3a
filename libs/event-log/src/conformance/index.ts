export { describeDeliveryLog, type DeliveryLogHarness } from './delivery-log-conformance';
export { describeDurableLog, type DurableLogHarness } from './durable-log-conformance';
export { describeReadModel, rejectPoison, type ReadModelHarness } from './read-model-conformance';
export { sandboxEnvelope, until } from './tools';
