import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import {
  DETAILED_REGISTRY_SAMPLES,
  REGISTRY_SAMPLES,
  SAMPLE_CHAIN_COORDINATES,
  SAMPLE_FEEDBACK,
  SAMPLE_REGISTRATION,
} from '../conformance';
import { eventCatalogue } from '../catalogue/event-catalogue';
import { DOCUMENTED_REGISTRY_EVENT_TYPES, REGISTRY_CATEGORIES, REGISTRY_EVENT_TYPES } from './event-types';
import { registrationSchema } from './registration-data';
import { registryEventDataSchema, shownRegistryFields } from './registry-data';
import { agentIdSchema } from './registry-fields';

/** The types that the document of the registry events API lists, the two of the connection apart. */
const DOCUMENTED = [
  'reputation_change',
  'reachability_update',
  'new_attestation',
  'agent_registered',
  'agent_updated',
  'classification_complete',
] as const;

/** What a chain or a watcher knows beyond them. */
const BEYOND = [
  'agent_transferred',
  'feedback_received',
  'feedback_revoked',
  'feedback_response',
  'attestation_revoked',
  'validation_requested',
  'validation_responded',
] as const;

/** What takes back what a chain takes back. */
const REVERSALS = [
  'agent_registration_reverted',
  'agent_update_reverted',
  'agent_transfer_reverted',
  'feedback_reverted',
  'feedback_revocation_reverted',
  'feedback_response_reverted',
  'attestation_reverted',
  'attestation_revocation_reverted',
  'validation_request_reverted',
  'validation_response_reverted',
] as const;

const ALL = [...DOCUMENTED, ...BEYOND, ...REVERSALS];

/** Fields of samples that may be absent. */
const OPTIONAL: readonly string[] = [
  ...['reputation_change.latestFeedback', 'reachability_update.previousMcp', 'reachability_update.previousA2a'],
  ...['reputation_change.feedback', 'agent_registered.registration', 'agent_updated.registration'],
  ...['agent_update_reverted.registration', 'feedback_reverted.feedbackIndex'],
];

describe('the registry family', () => {
  it('has the documented types, and beyond them what else a chain says and what takes it back', () => {
    expect([...DOCUMENTED_REGISTRY_EVENT_TYPES]).toEqual([...DOCUMENTED]);
    expect([...REGISTRY_EVENT_TYPES].sort()).toEqual([...ALL].sort());
    const known = eventCatalogue.all().filter(({ family }) => family === 'registry');
    expect(known.map(({ type }) => type).sort()).toEqual([...ALL].sort());
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
      'validations',
    ]);
    expect(Object.values(REGISTRY_CATEGORIES).flat().sort()).toEqual([...ALL].sort());
    const documented = (category: keyof typeof REGISTRY_CATEGORIES) =>
      REGISTRY_CATEGORIES[category].filter((type) => (DOCUMENTED as readonly string[]).includes(type));
    expect(documented('registrations')).toEqual(['agent_registered', 'agent_updated']);
    expect(documented('reputation')).toEqual(['reputation_change']);
    expect(documented('validations')).toEqual([]);
  });

  it.each(ALL)('takes the data of %s, with its details or without, and requires the rest', (type) => {
    const schema = registryEventDataSchema(type);
    const data = REGISTRY_SAMPLES[type];
    const detailed = { ...DETAILED_REGISTRY_SAMPLES[type] };
    expect(schema.parse(data)).toEqual(data);
    expect(schema.parse({ ...data, chain: SAMPLE_CHAIN_COORDINATES })).toEqual({
      ...data,
      chain: SAMPLE_CHAIN_COORDINATES,
    });
    expect(schema.parse(detailed)).toEqual(detailed);
    for (const field of Object.keys(detailed)) {
      const { [field as 'agentId']: _removed, ...rest } = detailed;
      const isOptional = field === 'chain' || OPTIONAL.includes(`${type}.${field}`);
      expect([field, schema.safeParse(rest).success]).toEqual([field, isOptional]);
    }
  });

  it('says of each reversal which event is taken back, and of nothing else', () => {
    for (const type of ALL) {
      const isReversal = (REVERSALS as readonly string[]).includes(type);
      expect([type, shownRegistryFields(type).includes('revertedEventId')]).toEqual([type, isReversal]);
    }
  });

  it('names reverted feedback by its index or by its attestation, never by both', () => {
    const schema = registryEventDataSchema('feedback_reverted');
    const { feedbackIndex, ...data } = REGISTRY_SAMPLES.feedback_reverted;
    const attestationUid = REGISTRY_SAMPLES.new_attestation.attestationUid;
    const isTaken = (more: object) => schema.safeParse({ ...data, ...more }).success;
    expect([{}, { feedbackIndex }, { attestationUid }, { feedbackIndex, attestationUid }].map(isTaken)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['a hash of 31 bytes', { contentHash: `0x${'0'.repeat(62)}` }],
    ['a URI that is too long', { uri: 'x'.repeat(2_049) }],
    ['a message that is too long', { error: { code: 'not_json', message: 'x'.repeat(501) } }],
    ['a description that is too long', { file: { ...SAMPLE_REGISTRATION.file, description: 'x'.repeat(4_001) } }],
    ['half a character', { file: { ...SAMPLE_REGISTRATION.file, name: '\ud800' } }],
    [
      'too many services',
      {
        file: { ...SAMPLE_REGISTRATION.file, services: Array(65).fill({ name: 'web', endpoint: 'https://a.example' }) },
      },
    ],
    ['too many skills', { file: { ...SAMPLE_REGISTRATION.file, declaredSkills: Array(201).fill('a') } }],
    ['metadata that is no hexadecimal text', { metadata: { a: 'text' } }],
    ['metadata that is too long', { metadata: { a: `0x${'0'.repeat(999)}` } }],
    ['too much metadata', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, '0x'])) }],
    ['a member too many', { owner: '0x' }],
  ])('takes no registration with %s', (_what, members) => {
    expect(registrationSchema.safeParse(SAMPLE_REGISTRATION).success).toBe(true);
    expect(registrationSchema.safeParse({ ...SAMPLE_REGISTRATION, ...members }).success).toBe(false);
  });

  it('takes metadata by any key', () => {
    const metadata = JSON.parse('{"__proto__":"0x00","constructor":"0x","":"0xff"}') as Record<string, string>;
    expect(registrationSchema.parse({ metadata })).toEqual({ metadata });
    const hostile = JSON.parse('{"__proto__":"text"}') as Record<string, string>;
    expect(registrationSchema.safeParse({ metadata: hostile }).success).toBe(false);
  });

  it.each([
    { source: 'graph' },
    { feedbackIndex: '01' },
    { feedbackIndex: '-1' },
    { value: '1.5' },
    { value: '-01' },
    { valueDecimals: 256 },
    { score: 101 },
    { score: 99.5 },
    { clientAddress: '0x12' },
    { tags: 'helpful' },
  ])('takes no feedback with %j', (members) => {
    const schema = registryEventDataSchema('feedback_received');
    const isTaken = (feedback: object) => schema.safeParse({ ...REGISTRY_SAMPLES.feedback_received, feedback }).success;
    expect([isTaken(SAMPLE_FEEDBACK), isTaken({ ...SAMPLE_FEEDBACK, value: `-${'9'.repeat(78)}` })]).toEqual([
      true,
      true,
    ]);
    expect(isTaken({ ...SAMPLE_FEEDBACK, ...members })).toBe(false);
  });

  it.each(ALL)('takes no field of %s that would stand in the place of another in its payload', (type) => {
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

describe('docs/protocol/registry-events.md', () => {
  it('tells of each type the fields that are shown', () => {
    const page = readFileSync(join(__dirname, '../../../../docs/protocol/registry-events.md'), 'utf8');
    const told = [...page.matchAll(/^\| `(\w+)` +\| ((?:`\w+\??`(?:, )?)+) +\|/gm)].map(
      ([, type = '', fields = '']) => [
        type,
        [...fields.matchAll(/`(\w+)(\??)`/g)].map(([, field, mark]) => `${field}${mark}`),
      ],
    );
    const expected = REGISTRY_EVENT_TYPES.map((type) => {
      const shape: Readonly<Record<string, z.ZodType>> = registryEventDataSchema(type).shape;
      const own = shownRegistryFields(type).filter((field) => field !== 'agentId' && field !== 'chainId');
      return [type, own.map((field) => `${field}${shape[field]?.safeParse(undefined).success ? '?' : ''}`)];
    });
    expect(told).toEqual(expected);
  });
});
