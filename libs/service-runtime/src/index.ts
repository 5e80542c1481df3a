export { clientAddress, type TrustProxy } from './client-address';
export { CREDENTIAL_MAX_LENGTH, readBearer } from './credentials';
export { registerHealthRoutes } from './health';
export { answerError, setCommonHeaders } from './http-answer';
export { errorBody, toHttpError } from './http-errors';
export { ANY_ORIGIN, ORIGIN_PATTERN } from './cors';
export { createHttpApp, type Gate, type HttpApp, type HttpAppOptions } from './http-server';
export { JSON_MEDIA_TYPES } from './json-body';
export {
  createLogger,
  LOG_FORMATS,
  LOG_LEVELS,
  type LogDestination,
  type LogFields,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  type ServiceLogger,
} from './logger';
export { baseUrl, listenError } from './listen-address';
export { isLoopbackAddress, isLoopbackHost } from './loopback';
export {
  DURATION_BUCKETS_SECONDS,
  MetricsRegistry,
  type CounterOptions,
  type GaugeOptions,
  type HistogramOptions,
  type MetricOptions,
} from './metrics';
export { PollingWorker } from './polling-worker';
export {
  CHECK_CACHE_MS,
  CHECK_TIMEOUT_MS,
  Readiness,
  type ReadinessOptions,
  type ReadyCheck,
  type ReadyReport,
  type ReadyStatus,
} from './readiness';
export { REDACTED, redactFields, redactText } from './redact';
export { REQUEST_ID_HEADER } from './request-id';
export { CHECK_CONFIG_FLAG, checkConfig, runApp, type CheckOutput } from './run-app';
export { runMain, type MainHost } from './run-main';
export {
  createService,
  type PortAlias,
  type Resource,
  type Service,
  type ServiceAddress,
  type ServiceOptions,
  type Worker,
} from './service';
export { SECURITY_HEADERS, TRANSPORT_SECURITY } from './security-headers';
export { HTTP_LIMITS } from './server-options';
export { setting, type Range } from './setting-schemas';
export {
  defineSettings,
  parseSettings,
  readEnv,
  settingsTable,
  type RawSettings,
  type SettingDefinition,
  type SettingsDefinition,
  type SettingsOf,
} from './settings';
export { METRIC_NAMES } from './signals';
export { TlsCertificate, type TlsConfig, type TlsSignals } from './tls/tls-certificate';
export { type NamedFile, type TlsFiles } from './tls/tls-files';
export { shownName, validate, type RequestPart } from './validate';
export { WEB_SOCKET_LIMITS, type WebSocket, type WebSocketLimits } from './web-sockets';
