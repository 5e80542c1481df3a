import fc from 'fast-check';
import { hostileName, jsonObject } from '../../test/arbitraries';
import { SAMPLE } from '../../test/sample';
import { DETAILED_REGISTRY_SAMPLES, REGISTRY_SAMPLES } from '../conformance';
import { encodeEnvelope, recordEnvelope, type Position } from '../recorded-event';
import { DOCUMENTED_REGISTRY_EVENT_TYPES, REGISTRY_EVENT_TYPES } from './event-types';
import { HIDDEN_REGISTRY_DETAILS, shownRegistryFields } from './registry-data';
import { toRegistryPayload } from './registry-payload';

const OCCURRED_AT = Date.UTC(2024, 0, 3, 12, 1);
const eventOf = (type: string, data: Record<string, unknown>) => ({ type, data, occurredAt: OCCURRED_AT });

describe('toRegistryPayload', () => {
  it('says what the document shows, with its type first and its time last', () => {
    const texts = DOCUMENTED_REGISTRY_EVENT_TYPES.map((type) =>
      JSON.stringify(toRegistryPayload(eventOf(type, REGISTRY_SAMPLES[type]))),
    );
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

  it.each(REGISTRY_EVENT_TYPES)(
    'keeps the order of %s whatever the order of its data was, and hides its details',
    (type) => {
      const shuffled = Object.fromEntries(Object.entries(DETAILED_REGISTRY_SAMPLES[type]).reverse());
      const text = JSON.stringify(toRegistryPayload(eventOf(type, shuffled)));
      expect(text).toBe(JSON.stringify(toRegistryPayload(eventOf(type, REGISTRY_SAMPLES[type]))));
      expect(Object.keys(JSON.parse(text) as object)).toEqual([
        'type',
        ...Object.keys(REGISTRY_SAMPLES[type]),
        'timestamp',
      ]);
      expect(text).not.toMatch(/chain"|block|transaction|logIndex|"registration"/);
    },
  );

  it('shows the documented fields of documented types and nothing else', () => {
    for (const type of DOCUMENTED_REGISTRY_EVENT_TYPES)
      expect(shownRegistryFields(type)).toEqual(Object.keys(REGISTRY_SAMPLES[type]));
    expect(HIDDEN_REGISTRY_DETAILS).toEqual(['chain', 'registration', 'feedback']);
  });

  it('shows the feedback of what is about nothing else', () => {
    expect(toRegistryPayload(eventOf('feedback_received', DETAILED_REGISTRY_SAMPLES.feedback_received))).toEqual({
      type: 'feedback_received',
      ...REGISTRY_SAMPLES.feedback_received,
      timestamp: '2024-01-03T12:01:00.000Z',
    });
    expect(shownRegistryFields('reputation_change')).not.toContain('feedback');
  });

  it('leaves out what the event does not say', () => {
    const { latestFeedback: _latest, ...data } = REGISTRY_SAMPLES.reputation_change;
    const payload = toRegistryPayload(eventOf('reputation_change', data));
    expect(Object.keys(payload)).toEqual([
      ...['type', 'agentId', 'chainId', 'previousScore', 'newScore', 'feedbackCount', 'timestamp'],
    ]);
  });

  it('is one line of JSON with type, agent and time, whatever is in the event', () => {
    const type = fc.oneof(fc.constantFrom<string>(...REGISTRY_EVENT_TYPES), hostileName);
    const data = fc
      .tuple(jsonObject, fc.constantFrom(...Object.values(DETAILED_REGISTRY_SAMPLES)), hostileName)
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
          expect(payload).not.toHaveProperty('registration');
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
