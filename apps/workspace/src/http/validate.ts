export { validate, type RequestPart } from '@sluice/service-runtime';
