export { SecretBox, type SecretPlace } from './secret-box';
