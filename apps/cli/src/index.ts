export { runCli } from './program';
