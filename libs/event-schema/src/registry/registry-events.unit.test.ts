import fc from 'fast-check';
import { hostileName, jsonObject } from '../../test/arbitraries';
import { CHAIN, REGISTRY_SAMPLES } from '../../test/registry-samples';
import { eventCatalogue } from '../catalogue/event-catalogue';
import { encodeEnvelope, recordEnvelope, type Position } from '../recorded-event';
import { SAMPLE } from '../../test/sample';
import { REGISTRY_CATEGORIES, REGISTRY_EVENT_TYPES } from './event-types';
import { agentIdSchema, registryEventDataSchema } from './registry-data';
import { toRegistryPayload } from './registry-payload';

/** The types that the document of the registry events API lists, the two of the connection apart. */
const DOCUMENTED = [
  'reputation_change',
  'reachability_update',
  'new_attestation',
  'agent_registered',
  'agent_updated',
  'classification_complete',
] as const;

const OCCURRED_AT = Date.UTC(2024, 0, 3, 12, 1);
const eventOf = (type: string, data: Record<string, unknown>) => ({ type, data, occurredAt: OCCURRED_AT });

describe('the registry family', () => {
  it('has exactly the documented types', () => {
    expect([...REGISTRY_EVENT_TYPES].sort()).toEqual([...DOCUMENTED].sort());
    const known = eventCatalogue.all().filter(({ family }) => family === 'registry');
    expect(known.map(({ type }) => type).sort()).toEqual([...DOCUMENTED].sort());
    for (const { version, description } of known)
      expect([version, description]).toEqual([1, expect.stringMatching(/\.$/)]);
  });

  it('has each type in one category', () => {
    expect(Object.keys(REGISTRY_CATEGORIES)).toEqual([
      'reputation',
      'reachability',
      'attestations',
      'registrations',
      'classifications',
    ]);
    expect(Object.values(REGISTRY_CATEGORIES).flat().sort()).toEqual([...DOCUMENTED].sort());
    expect(REGISTRY_CATEGORIES.registrations).toEqual(['agent_registered', 'agent_updated']);
  });

  it.each(DOCUMENTED)(
    'takes the documented data of %s, with its coordinates or without, and requires the rest',
    (type) => {
      const schema = registryEventDataSchema(type);
      const data = REGISTRY_SAMPLES[type];
      expect(schema.parse(data)).toEqual(data);
      expect(schema.parse({ ...data, chain: CHAIN })).toEqual({ ...data, chain: CHAIN });
      const optional = ['latestFeedback', 'previousMcp', 'previousA2a'];
      for (const field of Object.keys(data)) {
        const { [field as 'agentId']: _removed, ...rest } = data;
        expect([field, schema.safeParse(rest).success]).toEqual([field, optional.includes(field)]);
      }
    },
  );

  it.each(DOCUMENTED)('takes no field of %s that would stand in the place of another in its payload', (type) => {
    for (const field of ['type', 'timestamp', '__proto__', 'extra']) {
      const data = JSON.parse(
        `{${JSON.stringify(field)}:1,${JSON.stringify(REGISTRY_SAMPLES[type]).slice(1)}`,
      ) as unknown;
      expect([field, registryEventDataSchema(type).safeParse(data).success]).toEqual([field, false]);
    }
  });

  it.each(['1:0', '1:7', '11155111:1234', `1:${'9'.repeat(78)}`])('knows the agent %s', (agentId) => {
    expect(agentIdSchema.safeParse(agentId).success).toBe(true);
  });

  it.each([
    '',
    ':',
    '1:',
    ':1',
    '1',
    '01:1',
    '1:01',
    '0:1',
    '1:1:1',
    '1:-1',
    '1:1.5',
    '0x1:1',
    '1: 1',
    '1:1\n',
    '١:١',
    `1:${'9'.repeat(79)}`,
  ])('knows no agent %j', (agentId) => {
    expect(agentIdSchema.safeParse(agentId).success).toBe(false);
  });

  it('takes an agent of its own chain only', () => {
    const schema = registryEventDataSchema('agent_updated');
    const isTaken = (agentId: string, chainId: number) => schema.safeParse({ agentId, chainId, changes: [] }).success;
    expect([isTaken('1:7', 1), isTaken('11:7', 1), isTaken('1:7', 11), isTaken('10:7', 1)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(schema.safeParse({ agentId: '1:7', chainId: 2, changes: [] }).error?.issues).toMatchObject([
      { path: ['agentId'], message: 'must begin with chainId' },
    ]);
  });
});

describe('toRegistryPayload', () => {
  it('says what the document shows, with its type first and its time last', () => {
    const texts = DOCUMENTED.map((type) => JSON.stringify(toRegistryPayload(eventOf(type, REGISTRY_SAMPLES[type]))));
    const agent = '"agentId":"11155111:1234","chainId":11155111';
    const timestamp = '"timestamp":"2024-01-03T12:01:00.000Z"}';
    expect(texts).toEqual([
      `{"type":"reputation_change",${agent},"previousScore":80,"newScore":84,"feedbackCount":15,` +
        `"latestFeedback":{"score":100,"tags":["helpful","fast"]},${timestamp}`,
      `{"type":"reachability_update",${agent},"mcpReachable":true,"a2aReachable":false,` +
        `"previousMcp":false,"previousA2a":false,${timestamp}`,
      `{"type":"new_attestation",${agent},"attestationUid":"0x${'ab'.repeat(32)}","attester":"0x${'12'.repeat(20)}",` +
        `"score":75,"tags":["reliable"],${timestamp}`,
      `{"type":"agent_registered",${agent},"name":"NewAgent","owner":"0x${'Ab'.repeat(20)}","hasMcp":true,"hasA2a":false,${timestamp}`,
      `{"type":"agent_updated",${agent},"changes":["description","mcpEndpoint"],${timestamp}`,
      `{"type":"classification_complete",${agent},"skills":[{"slug":"code_generation","name":"Code Generation"}],` +
        `"domains":[{"slug":"technology","name":"Technology"}],"confidence":0.95,${timestamp}`,
    ]);
  });

  it.each(DOCUMENTED)('keeps the order of %s whatever the order of its data was, and hides its coordinates', (type) => {
    const data = { ...REGISTRY_SAMPLES[type], chain: CHAIN };
    const shuffled = Object.fromEntries(Object.entries(data).reverse());
    const text = JSON.stringify(toRegistryPayload(eventOf(type, shuffled)));
    expect(text).toBe(JSON.stringify(toRegistryPayload(eventOf(type, REGISTRY_SAMPLES[type]))));
    expect(text).not.toMatch(/chain"|block|transaction|logIndex/);
  });

  it('leaves out what the event does not say', () => {
    const { latestFeedback: _latest, ...data } = REGISTRY_SAMPLES.reputation_change;
    const payload = toRegistryPayload(eventOf('reputation_change', data));
    expect(Object.keys(payload)).toEqual([
      ...['type', 'agentId', 'chainId', 'previousScore', 'newScore', 'feedbackCount', 'timestamp'],
    ]);
  });

  it('is one line of JSON with type, agent and time, whatever is in the event', () => {
    const type = fc.oneof(fc.constantFrom<string>(...DOCUMENTED), hostileName);
    const data = fc
      .tuple(jsonObject, fc.constantFrom(...Object.values(REGISTRY_SAMPLES)), hostileName)
      .map(([any, sample, name]) => ({ ...sample, name, tags: [name], changes: [name], ...any }));
    fc.assert(
      fc.property(
        type,
        fc.oneof(data, jsonObject),
        fc.integer({ min: 0, max: OCCURRED_AT }),
        (kind, fields, occurredAt) => {
          const before = JSON.stringify(fields);
          const text = JSON.stringify(toRegistryPayload({ type: kind, data: fields, occurredAt }));
          expect(text).not.toMatch(/[\r\n\0]/);
          const payload = JSON.parse(text) as Record<string, unknown>;
          expect([payload['type'], payload['timestamp']]).toEqual([kind, new Date(occurredAt).toISOString()]);
          expect(payload).not.toHaveProperty('chain');
          expect(JSON.stringify(fields)).toBe(before);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes a recorded event as it is', () => {
    const envelope = encodeEnvelope({
      ...SAMPLE,
      family: 'registry',
      entityId: '11155111:1234',
      workspaceId: 0,
      type: 'agent_updated',
      data: { ...REGISTRY_SAMPLES.agent_updated },
    });
    const { event } = recordEnvelope(envelope, { position: 1 as Position, entitySequence: 1, recordedAt: 1 });
    expect(toRegistryPayload(event)).toEqual({
      type: 'agent_updated',
      ...REGISTRY_SAMPLES.agent_updated,
      timestamp: new Date(SAMPLE.occurredAt).toISOString(),
    });
  });
});
