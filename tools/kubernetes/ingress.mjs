import { join } from 'node:path';
import { ROUTES } from '../cluster/routes.mjs';
import { root } from '../set-up.mjs';

/** Where the manifest is. */
export const INGRESS_FILE = join(root, 'k8s', 'base', 'ingress', 'ingress.yaml');

const PREFIX = 'nginx.ingress.kubernetes.io';

/** Streams are silent for at most 15 s between heartbeats; an hour is for what a client itself keeps open in silence. */
const STREAM_WORDS = {
  'proxy-buffering': 'off',
  'proxy-http-version': '1.1',
  'proxy-read-timeout': '3600',
  'proxy-send-timeout': '3600',
};

/** What the controller must know of an app's doors. Those of the other apps are short, with small bodies. */
const WORDS_OF = {
  ingest: { 'proxy-body-size': '4m' },
  // A file of the largest size, and the form around it.
  sessions: { ...STREAM_WORDS, 'proxy-body-size': '513m', 'proxy-request-buffering': 'off' },
  'sse-stream': STREAM_WORDS,
};

/**
 * The Ingress objects of the route table, one for each app that has routes: how long and how large requests may be is
 * said by object, and differs by app.
 *
 * @param {readonly import('../cluster/routes.mjs').Route[]} [routes]
 * @returns {string} YAML
 */
export function ingressManifest(routes = ROUTES) {
  const apps = [...new Set(routes.map(({ app }) => app))].sort();
  const objects = apps.map((app) =>
    ingressOf(
      app,
      routes.filter((route) => route.app === app),
    ),
  );
  const head = '# Made from tools/cluster/routes.mjs by `node tools/kubernetes/write-ingress.mjs`.\n';
  return head + objects.join('---\n');
}

function ingressOf(app, routes) {
  const words = Object.entries(WORDS_OF[app] ?? {});
  const annotations = words.map(([name, value]) => `    ${PREFIX}/${name}: '${value}'`);
  return [
    'apiVersion: networking.k8s.io/v1',
    'kind: Ingress',
    'metadata:',
    `  name: ${app}`,
    '  labels:',
    `    app.kubernetes.io/name: ${app}`,
    ...(annotations.length === 0 ? [] : ['  annotations:', ...annotations]),
    'spec:',
    '  ingressClassName: nginx',
    '  rules:',
    '    - http:',
    '        paths:',
    ...routes.flatMap(({ path, pathType }) => [
      `          - path: ${path}`,
      `            pathType: ${pathType}`,
      '            backend:',
      '              service:',
      `                name: ${app}`,
      '                port:',
      '                  name: http',
    ]),
    '',
  ].join('\n');
}
