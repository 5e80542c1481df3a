const PAGE = 100;
const EVENT_PAGE = 500;

/** What the system answers to whoever asks, as its own clients see it. */
export class Api {
  constructor(baseUrl, operatorKey) {
    this.baseUrl = baseUrl;
    this.operatorKey = operatorKey;
  }

  async #ask(path, init = {}) {
    const response = await fetch(`${this.baseUrl}${path}`, {
      ...init,
      headers: { 'x-api-key': this.operatorKey },
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async chain(chainId) {
    const { chains } = await this.#ask('/v1/chains');
    return chains.find((one) => one.chainId === chainId);
  }

  acceptReorg(chainId) {
    return this.#ask(`/v1/chains/${chainId}/accept-reorg`, { method: 'POST' });
  }

  agents(chainId) {
    return this.#pages(`/api/v1/agents?chainIds=${chainId}&order=asc&limit=${PAGE}`);
  }

  feedback(agentId) {
    return this.#pages(`/api/v1/agents/${agentId}/feedback?includeRevoked=true&limit=${PAGE}`);
  }

  async #pages(path) {
    const found = [];
    for (let cursor; ;) {
      const { data, meta } = await this.#ask(
        cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`,
      );
      found.push(...data);
      if (!meta.hasMore) return found;
      cursor = meta.nextCursor;
    }
  }

  /** Every registry event, in the order of the stream. */
  async stream() {
    const found = [];
    for (let cursor; ;) {
      const start = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const path = `/v1/events?workspaceId=0&family=registry&order=asc&limit=${EVENT_PAGE}${start}`;
      const { events, nextCursor } = await this.#ask(path);
      found.push(...events);
      if (nextCursor === undefined) return found;
      cursor = nextCursor;
    }
  }
}
