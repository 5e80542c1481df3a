/** The names of the metrics that every service has. */
export const METRIC_NAMES = {
  httpRequestDurationSeconds: 'sluice_http_request_duration_seconds',
  httpRequestsInHand: 'sluice_http_requests_in_hand',
  httpConnectionsDroppedTotal: 'sluice_http_connections_dropped_total',
  httpBodyBytesInHand: 'sluice_http_body_bytes_in_hand',
  httpBodiesRefusedTotal: 'sluice_http_bodies_refused_total',
  httpClientErrorsTotal: 'sluice_http_client_errors_total',
  httpPipelinesCutTotal: 'sluice_http_pipelines_cut_total',
  httpUpgradesPending: 'sluice_http_upgrades_pending',
  httpUpgradesCutTotal: 'sluice_http_upgrades_cut_total',
  tlsReloadsTotal: 'sluice_tls_reloads_total',
  tlsCertificateExpirySeconds: 'sluice_tls_certificate_expiry_seconds',
  ready: 'sluice_ready',
  readyCheck: 'sluice_ready_check',
} as const;
