// Writes docker/gateway/nginx.conf from the table of routes; with `--print` it only says what that would be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROUTES } from '../../tools/cluster/routes.mjs';
import { nginxConf } from './nginx-conf.mjs';

const text = nginxConf(ROUTES);
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(import.meta.dirname, 'nginx.conf'), text);
