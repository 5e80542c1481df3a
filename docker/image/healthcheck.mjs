// Ends with 0 where the app of this container answers well: `node healthcheck.mjs /ready`. Node is what the image has.
import { get as getPlain } from 'node:http';
import { get as getByTls } from 'node:https';
import { readHealthConfig } from './config.mjs';

const TIMEOUT_MS = 4_000;

const { port, speaksTls } = readHealthConfig();
const [, , path = '/health'] = process.argv;
// Its own certificate is for other names than this address.
const options = { host: '127.0.0.1', port, path, timeout: TIMEOUT_MS, rejectUnauthorized: false };
const request = (speaksTls ? getByTls : getPlain)(options, ({ statusCode }) => end(statusCode));
request.once('timeout', () => end('it does not answer'));
request.once('error', (error) => end(error.message));

function end(outcome) {
  if (outcome !== 200) process.stderr.write(`${path} on port ${port}: ${outcome}\n`);
  process.exit(outcome === 200 ? 0 : 1);
}
