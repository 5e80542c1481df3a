import asyncApiJson from './documents/asyncapi.json';
import openApiJson from './documents/openapi.json';
import type { JsonObject } from './json';

/** The OpenAPI 3.1 document of every HTTP operation, as it is committed and as every process serves it. */
export const openApi: JsonObject = openApiJson;

/** The AsyncAPI 3.0 document of every channel and event, as it is committed and as every process serves it. */
export const asyncApi: JsonObject = asyncApiJson;
