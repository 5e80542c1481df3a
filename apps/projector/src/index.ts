export { projectorSettings, toProjectorConfig, type ProjectorConfig } from './config';
export { createProjectorPart } from './projector-part';
