const FEEDBACK_TAGS = ['', 'starred', 'quality', 'uptime', 'responseTime', 'reachable'];
const VALUES = [0n, 1n, 55n, 87n, 100n, 250n, -20n, 1234n];

/** Accounts by what they do: owners do not rate, and those who rate by contracts 1.0.0 do nothing else. */
const OWNERS = [1, 5];
const CLIENTS = [5, 8];
const OLD_CLIENTS = [8, 10];

/**
 * Makes calls of actions, by the state of the chain at its head: what the agents are, and what can be revoked.
 *
 * @param {import('@sluice/local-chain').LocalChain} chain
 * @param {import('@sluice/local-chain').DeployedRegistries} registries
 * @param {Awaited<ReturnType<import('./files.mjs').startFiles>>} files
 */
export class Actions {
  #sequence = 0;
  #state;

  constructor(chain, registries, files) {
    this.chain = chain;
    this.registries = registries;
    this.files = files;
  }

  /** The head is another one than that of which calls were made last. */
  async look() {
    const agents = await this.registries.agents();
    const feedback = await this.registries.feedback();
    const history = await this.registries.history();
    const attestations = history.filter(({ name }) => name === 'Attested').map(({ args }) => args);
    const requests = history.filter(({ name }) => name === 'ValidationRequest').map(({ args }) => args.requestHash);
    this.#state = { agents, feedback, attestations, requests };
  }

  /** @returns a call, or undefined where there is nothing to do it with */
  callOf({ type, shares }) {
    const { agents, feedback, attestations, requests } = this.#state;
    const { calls } = this.registries;
    const [first, second, third, fourth, fifth] = shares;
    const of = (list, share) => list[Math.floor(share * list.length)];
    const account = ([from, to], share) => this.chain.accounts[from + Math.floor(share * (to - from))];
    const agent = of(agents, first);
    const sequence = ++this.#sequence;
    const hash = `0x${sequence.toString(16).padStart(64, '0')}`;
    if (type === 'register') return this.#registration(calls, account(OWNERS, first), shares);
    if (agent === undefined) return undefined;
    const { agentId, owner: from } = agent;
    const given = of(feedback, second);
    switch (type) {
      case 'giveFeedback': {
        const value = of(VALUES, second);
        const tags = { tag1: of(FEEDBACK_TAGS, third), tag2: third < 0.3 ? 'more' : '' };
        const valueDecimals = value === 1234n ? 2 : fourth < 0.2 ? 1 : 0;
        return calls.giveFeedback({ from: account(CLIENTS, fifth), agentId, value, valueDecimals, ...tags });
      }
      case 'giveOldFeedback': {
        const score = Math.floor(second * 101);
        if (third < 0.4) {
          return calls.giveFeedbackV1({ from: account(OLD_CLIENTS, fifth), agentId, score, tag1: 'old', tag2: 'tag' });
        }
        const scored = { from: account(CLIENTS, fifth), agentId, score };
        return third < 0.7
          ? calls.giveFeedbackV110({ ...scored, tag2: 'second' })
          : calls.giveFeedbackV111({ ...scored, tag1: of(FEEDBACK_TAGS, fourth) });
      }
      case 'revokeFeedback':
        return (
          given &&
          calls.revokeFeedback({ from: given.client, agentId: given.agentId, feedbackIndex: given.feedbackIndex })
        );
      case 'appendResponse': {
        if (given === undefined) return undefined;
        const { client, feedbackIndex } = given;
        return calls.appendResponse({
          from,
          agentId: given.agentId,
          client,
          feedbackIndex,
          responseUri: 'ipfs://answer',
        });
      }
      case 'setAgentUri': {
        const action = { from, agentId, uri: this.files.uriOf(third) };
        return fourth < 0.2 ? calls.setAgentUriV1(action) : calls.setAgentUri(action);
      }
      case 'setMetadata':
        return calls.setMetadata({ from, agentId, key: third < 0.5 ? 'color' : 'size', value: hash.slice(0, 10) });
      case 'transfer':
        return calls.transfer({ from, to: account(OWNERS, third), agentId });
      case 'wallet':
        return third < 0.5
          ? calls.setAgentWallet({ from, agentId, wallet: account(OWNERS, fourth) })
          : calls.unsetAgentWallet({ from, agentId });
      case 'attest':
        return this.#attestation(calls, account(CLIENTS, fifth), agentId, shares);
      case 'revokeAttestation': {
        const made = of(attestations, second);
        return made && calls.revokeAttestation({ from: made.attester, uid: made.uid });
      }
      case 'requestValidation':
        return calls.requestValidation({ from, agentId, validator: this.chain.accounts[10], requestHash: hash });
      case 'respondValidation': {
        const requestHash = of(requests, second);
        const response = { from: this.chain.accounts[10], requestHash, response: Math.floor(third * 101), tag: 'done' };
        if (requestHash === undefined) return undefined;
        return fourth < 0.3 ? calls.respondValidationV1(response) : calls.respondValidation(response);
      }
      default:
        throw new Error(`there is no action ${type}`);
    }
  }

  #registration(calls, from, [, second, third, fourth]) {
    if (second < 0.1) return calls.register({ from });
    const uri = this.files.uriOf(third);
    if (second < 0.25) return calls.registerV1({ from, uri });
    if (second < 0.35) {
      return calls.bulkRegister({ from, count: 1 + Math.floor(fourth * 3), uri: this.files.uriOfMany(third) });
    }
    const metadata = fourth < 0.3 ? { metadata: [{ key: 'color', value: '0x1234' }] } : {};
    return calls.register({ from, uri, ...metadata });
  }

  /** Some are of another chain, of no agent, of no score, or of another form. */
  #attestation(calls, from, agentId, [, second, third, fourth]) {
    const { chainId } = this.chain;
    const score = 1 + Math.floor(third * 5);
    if (second < 0.08) return calls.attest({ from, agentId: `${chainId + 1}:${agentId}`, score });
    if (second < 0.14) return calls.attest({ from, agentId: `${chainId}:999999`, score });
    if (second < 0.2) return calls.attest({ from, agentId: `${chainId}:${agentId}`, score: 9 });
    if (second < 0.25) return calls.attest({ from, agentId: '', score, data: '0x1234' });
    return calls.attest({ from, agentId: `${chainId}:${agentId}`, score, tags: fourth < 0.5 ? ['fast', 'kind'] : [] });
  }
}
