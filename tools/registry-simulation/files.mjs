import { once } from 'node:events';
import { createServer } from 'node:http';

const SKILLS = ['audio', 'retrieval_augmented_generation', 'security_privacy'];

/** Nobody is there, and it is refused before anybody is asked. */
const NOWHERE = 'https://127.0.0.1/mcp';

/** Registration files of every kind, told by their URIs alone: what a URI says is known without reading it. */
export async function startFiles() {
  const server = createServer((request, response) => {
    const number = numberIn(request.url);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(contentOf(number)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    /** @param {number} share which one, from 0 up to 1 */
    uriOf: (share) => {
      const number = Math.floor(share * 1_000);
      const kind = number % 10;
      if (kind === 0) return '';
      if (kind === 1) return `data:application/json,{"broken":${number}`;
      if (kind <= 3) return `${origin}/${number}.json`;
      const text = JSON.stringify(contentOf(number));
      if (kind <= 6) return `data:application/json;base64,${Buffer.from(text).toString('base64')}`;
      return `data:application/json,${encodeURIComponent(text)}`;
    },
    /** For many agents in one transaction, each with a URI of its own. */
    uriOfMany: (share) => `${origin}/${Math.floor(share * 1_000)}.json?agent={id}`,
    read: (uri) => {
      if (uri === '') return {};
      if (uri.startsWith(origin)) {
        return { isRemote: true, file: fileOf(numberIn(uri)) };
      }
      const [head, body] = [uri.slice(0, uri.indexOf(',')), uri.slice(uri.indexOf(',') + 1)];
      const text = head.endsWith('base64') ? Buffer.from(body, 'base64').toString('utf8') : decodeURIComponent(body);
      try {
        return { file: fileOf(JSON.parse(text).number) };
      } catch {
        return { isBroken: true };
      }
    },
    stop: async () => {
      const end = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await end;
    },
  };
}

const numberIn = (url) => Number(/(\d+)\.json/.exec(url)[1]);

/** What is to be made of a file, without reading it. */
function fileOf(number) {
  return {
    name: `Agent of file ${number}`,
    hasMcp: number % 3 === 0,
    skills: number % 4 === 0 ? [SKILLS[number % SKILLS.length]] : [],
  };
}

function contentOf(number) {
  const { name, hasMcp, skills } = fileOf(number);
  const services = [
    ...(hasMcp ? [{ name: 'MCP', endpoint: NOWHERE }] : []),
    ...(skills.length > 0 ? [{ name: 'OASF', endpoint: '', version: '0.8.0', skills, domains: [] }] : []),
  ];
  return { name, description: `File ${number}`, number, services, active: true };
}
