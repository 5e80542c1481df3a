import { seededRandom } from '@sluice/local-chain';

/** Which action how often, roughly as on the public chains, but with more of what is rare there. */
const ACTION_WEIGHTS = {
  register: 10,
  giveFeedback: 30,
  revokeFeedback: 8,
  appendResponse: 5,
  setAgentUri: 8,
  setMetadata: 4,
  transfer: 6,
  wallet: 3,
  attest: 8,
  revokeAttestation: 4,
  requestValidation: 3,
  respondValidation: 3,
  giveOldFeedback: 8,
};

const STEP_WEIGHTS = { block: 50, empty: 8, reorg: 16, comeBack: 4, faults: 12, kill: 4, catchUp: 6 };

/** Kinds of what an endpoint does wrong for a while. */
const FAULTS = [
  { errorShare: 0.3 },
  { rateLimitShare: 0.3, maxLogRange: 3 },
  { maxLogs: 5, maxLogRange: 20 },
  { garbageShare: 0.2 },
  { timeoutShare: 0.03 },
  { down: true },
  { lagBlocks: 2 },
  { lagBlocks: 5, errorShare: 0.1 },
  { omitLogShare: 0.3 },
  { alterLogShare: 0.3 },
  { alterBlockShare: 0.2 },
  { delayMs: 60 },
];

/** What an endpoint is like all the time: one with limits, one that lags, one that lies at times. */
const CHARACTERS = [
  (share) => ({ maxLogRange: 1 + Math.floor(share * 30), maxLogs: 20, errorShare: 0.05 }),
  (share) => ({ lagBlocks: 1 + Math.floor(share * 4) }),
  (share) => [{ omitLogShare: 0.2 }, { alterLogShare: 0.2 }, { alterBlockShare: 0.1 }][Math.floor(share * 3)],
];

/** Lies that two endpoints can tell alike. */
const LIES = ['omitLogShare', 'alterLogShare'];

export const ENDPOINTS = CHARACTERS.length;
export const WATCHERS = 2;

/**
 * Everything that a seed decides before it runs. Choices that need the chain as it then is (which agent, which feedback) are
 * shares between 0 and 1.
 *
 * @param {number} seed
 */
export function scenarioOf(seed) {
  const random = seededRandom(seed * 7919 + 17);
  const below = (limit) => Math.floor(random() * limit);
  const pick = (weights) => {
    let rest = random() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    for (const [name, weight] of Object.entries(weights)) if ((rest -= weight) < 0) return name;
    return Object.keys(weights)[0];
  };
  const action = () => ({ type: pick(ACTION_WEIGHTS), shares: Array.from({ length: 6 }, () => random()) });
  const actions = (most) => Array.from({ length: 1 + below(most) }, action);
  const waitMs = () => (random() < 0.5 ? 0 : below(120));
  const confirmations = 2 + below(4);
  const step = () => {
    const type = pick(STEP_WEIGHTS);
    switch (type) {
      case 'block':
        return { type, actions: actions(6), waitMs: waitMs() };
      case 'empty':
        return { type, blocks: 1 + below(4), waitMs: waitMs() };
      case 'reorg':
        return {
          type,
          depth: 1 + below(confirmations),
          keptShare: random() < 0.3 ? 0 : random(),
          shift: below(2),
          // Whether the watcher is given time to work off what is going to vanish.
          isAwaited: random() < 0.6,
          actions: actions(4),
          waitMs: waitMs(),
        };
      case 'comeBack':
        return { type, actions: actions(5), waitMs: 20 + below(150) };
      case 'faults':
        return { type, endpoint: below(ENDPOINTS), faults: random() < 0.3 ? {} : FAULTS[below(FAULTS.length)] };
      case 'kill':
        return { type, watcher: below(WATCHERS), waitMs: waitMs() };
      default:
        return { type: 'catchUp' };
    }
  };
  const steps = Array.from({ length: 30 + below(15) }, step);
  // At least one of each of what it is about, and sometimes a reorganisation beyond finality.
  const place = (extra) => steps.splice(below(steps.length), 0, extra);
  place({ type: 'kill', watcher: below(WATCHERS), waitMs: waitMs() });
  place({ type: 'reorg', depth: confirmations, keptShare: 0.5, shift: 1, actions: actions(3), waitMs: 100 });
  if (random() < 0.3) place({ type: 'deepReorg', depth: confirmations + 1 + below(2), keptShare: random() });
  const hasCharacters = random() < 0.7;
  const turned = below(ENDPOINTS);
  const characters = CHARACTERS.map((_, place) => {
    const share = random();
    return hasCharacters ? CHARACTERS[(place + turned) % ENDPOINTS](share) : {};
  });
  return {
    seed,
    // Faults of the endpoints at the start.
    characters,
    chainId: 31_000 + (seed % 1_000),
    confirmations,
    delivery: random() < 0.7 ? 'immediate' : 'confirmed',
    maxBlockRange: [1, 3, 50, 10_000][below(4)],
    // What is on the chain before anybody watches it.
    history: Array.from({ length: 3 + below(20) }, () => actions(5)),
    steps: withOneTellerOfEachLie(characters, steps),
  };
}

/** Two endpoints that tell the same lie are believed. So each lie is left to the endpoint that tells it first. */
function withOneTellerOfEachLie(characters, steps) {
  const tellers = new Map();
  const tellerOf = (faults, endpoint) => {
    const lie = LIES.find((share) => share in faults);
    if (lie === undefined) return endpoint;
    if (!tellers.has(lie)) tellers.set(lie, endpoint);
    return tellers.get(lie);
  };
  for (const [endpoint, faults] of characters.entries()) tellerOf(faults, endpoint);
  return steps.map((step) =>
    step.type === 'faults' ? { ...step, endpoint: tellerOf(step.faults, step.endpoint) } : step,
  );
}
