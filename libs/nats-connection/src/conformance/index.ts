export { testNatsUrl } from './config';
export { OwnServer } from './own-server';
export { Relay } from './relay';
