import type { ChainCheck, EndpointCheck } from '@sluice/registry-source';
import { printable, type Paint } from '../printable';

/** What a chain's configuration is worth, for people: a line of the chain, one of each endpoint, one of each fault. */
export function checkLines(check: ChainCheck, paint: Paint): readonly string[] {
  const verdict = check.ok ? paint('green', 'ok') : paint('red', 'cannot be watched');
  const { webSocket } = check;
  return [
    `${printable(check.name)} (${check.chainId}): ${verdict}`,
    ...check.faults.map((fault) => faultLine(fault, paint)),
    ...check.endpoints.flatMap((endpoint) => endpointLines(endpoint, paint)),
    ...(webSocket === undefined ? [] : [`  WebSocket: ${webSocket.works ? 'works' : 'does not work'}`]),
    ...(webSocket?.fault === undefined ? [] : [faultLine(webSocket.fault, paint, '    ')]),
  ];
}

function endpointLines(endpoint: EndpointCheck, paint: Paint): readonly string[] {
  const { reachable, latencyMs, head, logRangeBlocks, reachesStartBlock, contracts } = endpoint;
  const facts = [
    ...(reachable ? [] : ['not reachable']),
    ...(latencyMs === undefined ? [] : [`${Math.round(latencyMs)} ms`]),
    ...(head === undefined ? [] : [`head ${head}`]),
    ...(logRangeBlocks === undefined ? [] : [`logs of ${logRangeBlocks} blocks at once`]),
    ...(reachesStartBlock === undefined ? [] : [reachesStartBlock ? 'has the start block' : 'lacks the start block']),
  ];
  return [
    `  ${printable(endpoint.endpoint)}: ${facts.join(', ')}`,
    ...contracts.map(({ name, address, hasCode, version }) => {
      const what = hasCode ? (version === undefined ? 'is there' : `version ${printable(version)}`) : 'has no code';
      return `    ${name} ${printable(address)}: ${what}`;
    }),
    ...endpoint.faults.map((fault) => faultLine(fault, paint, '    ')),
  ];
}

function faultLine(fault: string, paint: Paint, indent = '  '): string {
  return `${indent}${paint('red', 'fault')}: ${printable(fault)}`;
}
