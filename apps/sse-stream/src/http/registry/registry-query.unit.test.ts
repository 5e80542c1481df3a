import { REGISTRY_CATEGORIES } from '@sluice/event-schema';
import { toSseStreamConfig } from '../../config';
import { readRegistryQuery } from './registry-query';

/** As the door has it. */
const { registryMinHeartbeatMs: minHeartbeatMs } = toSseStreamConfig({} as Parameters<typeof toSseStreamConfig>[0]);

const parse = (query: string) => {
  const given: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = given[name];
    given[name] = before === undefined ? value : [before, value].flat();
  }
  return readRegistryQuery(given, minHeartbeatMs / 1_000);
};

describe('what connected tells of the query', () => {
  it.each([
    ['', {}],
    ['agentIds=1:2,,1:3,', { agentIds: ['1:2', '', '1:3', ''] }],
    ['agentIds=%201:2%20, 1:3', { agentIds: ['1:2', '1:3'] }],
    ['agentIds=', {}],
    ['chainIds=11155111,abc,5x', { chainIds: [11155111, 5] }],
    ['chainIds=0x10,1e3,-5,1.9', { chainIds: [0, 1, -5, 1] }],
    ['chainIds=abc', { chainIds: [] }],
    [`chainIds=${'9'.repeat(400)},1`, { chainIds: [1] }],
    ['chainIds=1&chainIds=2', { chainIds: [1] }],
    ['chainIds[]=1', {}],
    ['eventTypes=reputation_change, nonsense', { eventTypes: ['reputation_change', 'nonsense'] }],
    ['reputation=true', { reputation: true }],
    ['reputation=TRUE', { reputation: false }],
    ['reputation=1', { reputation: false }],
    ['reputation=', { reputation: false }],
    [
      'reachability=true&attestations=false&registrations=true&classifications=x',
      { reachability: true, attestations: false, registrations: true, classifications: false },
    ],
    ['validations=true', { validations: true }],
    ['heartbeat=10&strict=false&unknown=1&__proto__=1&toString=1', {}],
  ])('"%s"', (query, filters) => {
    expect(parse(query).filters).toEqual(filters);
  });
});

describe('heartbeat', () => {
  it.each([
    ['', 30],
    ['heartbeat=', 30],
    ['heartbeat=abc', 30],
    ['heartbeat=NaN', 30],
    ['heartbeat=4', 5],
    ['heartbeat=5', 5],
    ['heartbeat=7.9', 7],
    ['heartbeat=12abc', 12],
    ['heartbeat=60', 60],
    ['heartbeat=61', 60],
    ['heartbeat=-1', 5],
    [`heartbeat=${'9'.repeat(400)}`, 60],
    ['heartbeat=10&heartbeat=20', 10],
  ])('"%s" is %d seconds', (query, seconds) => {
    expect(parse(query).heartbeatSeconds).toBe(seconds);
  });
});

const EVERY = ['reputation', 'reachability', 'attestations', 'registrations', 'classifications', 'validations'];

describe('what is shown', () => {
  const all = { families: ['registry'] };
  it.each([
    ['', all],
    [EVERY.map((category) => `${category}=true`).join('&'), all],
    ['registrations=true', { ...all, types: REGISTRY_CATEGORIES.registrations }],
    ['validations=true', { ...all, types: REGISTRY_CATEGORIES.validations }],
    ['reputation=true&registrations=false', { ...all, types: REGISTRY_CATEGORIES.reputation }],
    ['eventTypes=execution.*,reputation_change', { ...all, types: ['reputation_change'] }],
    ['eventTypes=,', { ...all, types: [] }],
    ['agentIds=1:2,1:2,x', { ...all, entityIds: ['1:2'] }],
    ['agentIds=x', { ...all, entityIds: [] }],
    ['chainIds=1,1,2', { ...all, chainIds: [1, 2] }],
    ['chainIds=x', all],
  ])('by "%s"', (query, wanted) => {
    expect(parse(query).wanted).toEqual(wanted);
  });
});
