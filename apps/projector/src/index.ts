export { projectorSettings, toProjectorConfig, type ProjectorConfig } from './config';
export { projectorOperations } from './http/operations';
export { createProjectorPart } from './projector-part';
