export { asyncApiDocument, messageNameOf } from './asyncapi';
export { defineChannel, type ChannelDescription, type ChannelMessage, type ChannelProtocol } from './channel';
export { commonOperations } from './common-operations';
export { errorBodySchema } from './components';
export {
  compareRoutes,
  uncarriedEventTypes,
  undescribedEventTypes,
  type RegisteredRoute,
  type RouteDifferences,
} from './coverage';
export { asyncApi, openApi } from './documents';
export type { JsonObject, JsonValue } from './json';
export { openApiDocument, type OpenApiOptions } from './openapi';
export {
  defineOperation,
  type HttpMethod,
  type Operation,
  type OperationAccess,
  type OperationResponse,
  type ResponseContent,
} from './operation';
export type { ErrorTable } from './refusals';
