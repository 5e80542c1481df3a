export { pubSubTcpChannels } from './channels';
export { pubSubSettings, toPubSubConfig, type PubSubConfig } from './config';
export { createPubSubPart, type PubSubPart } from './pubsub-part';
