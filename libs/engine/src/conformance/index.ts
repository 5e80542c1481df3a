export { send, type Answer, type Json, type SendOptions } from './http-client';
export { TestProjection } from './test-projection';
