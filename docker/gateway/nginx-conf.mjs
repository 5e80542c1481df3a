/**
 * The configuration of nginx as the one address in front of all apps, made from the table of routes.
 *
 * It means by a path what `findRoute` means: the longest match wins, `Exact` before `Prefix`, and slashes that are doubled
 * or at the end make no difference.
 *
 * @param {readonly import('../../tools/cluster/routes.mjs').Route[]} routes
 * @returns {string}
 */
export function nginxConf(routes) {
  return HEAD + locationsOf(routes).map(locationText).join('') + TAIL;
}

/** nginx has no location for "a path, and what is below it by whole segments", so that a route is two of them. */
function locationsOf(routes) {
  const exactPaths = new Set(routes.filter(({ pathType }) => pathType === 'Exact').map(({ path }) => path));
  return routes.flatMap(({ path, pathType, app }) => {
    if (pathType === 'Exact') return [`= ${path}`, `= ${path}/`].map((match) => ({ match, app }));
    const below = { match: `${path}/`, app };
    return exactPaths.has(path) ? [below] : [{ match: `= ${path}`, app }, below];
  });
}

const locationText = ({ match, app }) => `
    location ${match} {
      set $app ${app};
      proxy_pass http://$app:8080;
    }
`;

const HEAD = `# Made by docker/gateway/generate.mjs from tools/cluster/routes.mjs. Do not edit.
# Not one for each core: each takes memory for its connections, and the container has a limit.
worker_processes 2;
pid /tmp/nginx.pid;
error_log stderr warn;

events {
  # A stream holds two, one on either side.
  worker_connections 16384;
}

http {
  access_log off;
  server_tokens off;
  default_type application/json;

  # The root file system is read-only.
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;

  # Docker's own: names are asked again, so that containers may come back with other addresses, or be several.
  resolver 127.0.0.11 valid=5s ipv6=off;

  map $http_upgrade $connection_header {
    default upgrade;
    '' '';
  }

  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_header;
  # One proxy in front is what the apps are told to believe; what a caller claims of itself is dropped.
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;

  # Streams and uploads pass as they come; how large and how long is for the apps to bound.
  proxy_buffering off;
  proxy_request_buffering off;
  client_max_body_size 0;
  # Longer than the longest silence of a stream, and of a request that waits for an answer.
  proxy_read_timeout 150s;
  proxy_send_timeout 150s;
  proxy_connect_timeout 5s;
  # A request that may have had an effect is repeated by its caller, who knows how.
  proxy_next_upstream off;

  server {
    listen 8080;

    location = /health {
      return 200 '{"status":"ok"}';
    }

    location / {
      return 404 '{"success":false,"error":"No app serves this path","code":"not_found"}';
    }

    # The app is away: what was not acknowledged was not promised, so the caller may repeat it.
    error_page 502 504 = @away;
    location @away {
      internal;
      add_header Retry-After 1 always;
      return 503 '{"success":false,"error":"The app cannot be reached","code":"app_unavailable"}';
    }
`;

const TAIL = `  }
}
`;
