export { JetStreamDeliveryLog, openJetStreamDeliveryLog } from './jetstream-delivery-log';
export type { JetStreamDeliveryLogOptions, JetStreamMetric, StreamRetention } from './options';
