/** The Kubernetes whose schemas the manifests are held against, and whose API server they are applied to. */
export const KUBERNETES_VERSION = '1.36.3';
export const ETCD_VERSION = '3.6.16';
/** Where ServiceMonitor and PrometheusRule come from. */
export const PROMETHEUS_OPERATOR_VERSION = '0.85.0';
