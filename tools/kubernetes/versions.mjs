/** The Kubernetes whose schemas the manifests are held against, and whose API server they are applied to. */
export const KUBERNETES_VERSION = '1.36.3';
export const ETCD_VERSION = '3.6.16';
/** Where ServiceMonitor and PrometheusRule come from. */
export const PROMETHEUS_OPERATOR_VERSION = '0.85.0';
/** Whose promtool checks the alerts; as its Go module counts: 3.16.0 is 0.316.0. */
export const PROMETHEUS_VERSION = '0.316.0';
