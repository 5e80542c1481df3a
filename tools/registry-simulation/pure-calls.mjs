// Calls exported functions of the simulation that need nothing: for its tests, which cannot import ES modules.
const asked = JSON.parse(process.argv[2], (_, value) =>
  typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
);

const files = { read: (uri) => (uri === '' ? {} : { file: { name: uri, hasMcp: false, skills: [] } }) };

const FUNCTIONS = {
  scenario: async ({ seed }) => (await import('./scenario.mjs')).scenarioOf(seed),
  score: async ({ value, decimals }) => (await import('./model.mjs')).scoreOf(value, decimals),
  net: async ({ stream }) => {
    const { net, faults } = (await import('./net-events.mjs')).netEventsOf(stream);
    return { net: [...net.keys()], faults };
  },
  compare: async ({ history, chainId, onChain, agents, feedback, stream }) => {
    const model = (await import('./model.mjs')).modelOf(history, chainId, files.read);
    const seen = { agents, feedback: new Map(Object.entries(feedback)), stream };
    return (await import('./check.mjs')).compare(model, onChain, seen);
  },
};

const answers = [];
for (const { name, input } of asked) answers.push(await FUNCTIONS[name](input));
process.stdout.write(JSON.stringify(answers));
