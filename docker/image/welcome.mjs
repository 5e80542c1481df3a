// Tells whoever started a development stack what to call it with: `node welcome.mjs`, or `node welcome.mjs --json` for tools.
import { readAppEnvironment, readStackConfig } from './config.mjs';
import { writeDevFile } from './dev-file.mjs';

const { SLUICE_OPERATOR_KEYS: adminKey } = readAppEnvironment();
const { folder, insideUrl, publicUrl, publicPubsub: pubsub } = readStackConfig();
const made = await writeDevFile({ dataDir: folder, baseUrl: insideUrl, pubsub, adminKey });
const dev = { ...made, baseUrl: publicUrl };
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(dev)}\n` : describe(dev));

function describe({ baseUrl, apiKey, accessToken, sandboxId }) {
  return `
Sluice is ready at ${baseUrl}, with TCP at ${pubsub.host}:${pubsub.port}

Watch the events of workspace 1:
  curl -N -H 'X-API-Key: ${apiKey}' ${baseUrl}/v1/stream
  redis-cli -h ${pubsub.host} -p ${pubsub.port} -a ${accessToken} subscribe ${sandboxId}

Store one:
  curl -X POST ${baseUrl}/events -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${accessToken}' -d '{"type":"custom.event","data":{"hello":"world"}}'
`;
}
