import { cardUrls, isAgentCard } from './agent-card';
import { isProtected } from './protected';
import { parseJson, readText } from './read-body';
import { reachable, unreachable, type UnreachableCode } from './verdict';
import type { Visit, Visited, Visits } from './visits';

/** Findings after which the next place may still have the card. */
const WORTH_ANOTHER: ReadonlySet<UnreachableCode> = new Set([
  'http_status',
  'no_card',
  'too_large',
  'too_many_redirects',
]);

/** Whether an A2A agent shows its card for this endpoint. At most as many visits as there are places for the card. */
export async function probeA2a(visits: Visits, endpoint: string, signal: AbortSignal): Promise<Visited> {
  let wasProtected: Visited | undefined;
  let last: Visited = { verdict: unreachable('invalid_url') };
  let before: string | undefined;
  for (const url of cardUrls(endpoint)) {
    last = await visits.visit(url, signal, (visit) => readCard(visit, url), before);
    before = last.finalUrl ?? url;
    const { verdict, status } = last;
    if (verdict.kind === 'reachable' && verdict.code === 'card') return last;
    // Some hosts answer so for whatever they do not have: a card elsewhere is the better finding.
    if (verdict.kind === 'reachable') wasProtected ??= last;
    else if (verdict.kind === 'unknown' || !WORTH_ANOTHER.has(verdict.code) || status === 503) break;
  }
  return wasProtected ?? last;
}

function readCard(visit: Visit, url: string): Promise<Visited> {
  return visit.request(url, { headers: { accept: 'application/json' } }, async (answer): Promise<Visited> => {
    const { status, finalUrl } = answer;
    if (isProtected(status)) return { verdict: reachable('protected'), status, finalUrl };
    if (status > 299) return { verdict: unreachable('http_status', status), status, finalUrl };
    const isCard = isAgentCard(parseJson(await readText(answer.body)));
    return { verdict: isCard ? reachable('card') : unreachable('no_card', status), status, finalUrl };
  });
}
