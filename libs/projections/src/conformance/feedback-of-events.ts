import { newEventId, type EncodedEnvelope } from '@sluice/event-schema';
import {
  MAX_LISTED_FEEDBACK,
  MAX_SHOWN_RESPONSES,
  MAX_SHOWN_RESPONSES_LENGTH,
  type ListFeedback,
} from '../registry/agents';
import type { CurrentAgentHarness } from './agent-harness';
import { about, addressOf, CLIENT, hashOf, rated, rating, registered } from './agent-samples';
import { OCCURRED_AT } from './workspace-envelope';

const AGENT = '8453:7';
const place = (feedbackIndex = '1') => ({ clientAddress: CLIENT, feedbackIndex });
const attestation = (n = 1) => ({ attestationUid: hashOf(n), attester: addressOf(6) });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

const response = (responder: number, responseUri = 'ipfs://r', feedbackIndex = '1', id = newEventId()) => {
  const said = { responder: addressOf(responder), responseUri, responseHash: hashOf(9) };
  return about(AGENT, 'feedback_response', { ...place(feedbackIndex), ...said }, { id });
};

/** What events make of feedback, and how it is read. */
export function describeFeedbackOfEvents(current: CurrentAgentHarness): void {
  const feedback = (query: Partial<ListFeedback> = {}) =>
    current().agents.feedback({ agentId: AGENT, limit: 100, includeRevoked: true, ...query });
  const after = async (...envelopes: readonly EncodedEnvelope[]) => {
    await current().record(envelopes);
    return feedback();
  };
  const indexes = async (query: Partial<ListFeedback> = {}) =>
    (await feedback(query)).map(({ feedbackIndex }) => Number(feedbackIndex));
  beforeEach(() => current().record([registered(AGENT)]));

  it('keeps ratings, other feedback and attestations with all that they say, the newest first', async () => {
    const upper = (address: string) => address.toUpperCase().replace('0X', '0x');
    const full = rating('1', 80, {
      clientAddress: upper(CLIENT),
      value: '-799',
      valueDecimals: 1,
      tags: ['starred', 'fast'],
      endpoint: 'https://a.example',
      feedbackUri: 'ipfs://f',
      feedbackHash: hashOf(2),
    });
    const uptime = { ...rating('2', 99), isRating: false, tags: ['uptime'] };
    const attested = {
      source: 'eas',
      clientAddress: addressOf(6),
      attestationUid: upper(hashOf(3)),
      score: 75,
    } as const;
    const of = { agentId: AGENT, revoked: false, responses: [], createdAt: OCCURRED_AT };
    expect(
      await after(
        rated(AGENT, 80, 1, full),
        about(AGENT, 'feedback_received', { feedback: uptime }),
        about(AGENT, 'new_attestation', { ...attestation(3), score: 75, tags: [] }),
        rated(AGENT, 77.5, 2, { ...attested, isRating: true, tags: [] }),
      ),
    ).toEqual([
      { ...of, ...attested, attestationUid: hashOf(3), isRating: true, tags: [], createdPosition: 5 },
      { ...of, ...uptime, createdPosition: 3 },
      { ...of, ...full, clientAddress: CLIENT, createdPosition: 2 },
    ]);
    expect(await current().agents.find(AGENT)).toMatchObject({ score: 77.5, feedbackCount: 2 });
  });

  it('revokes feedback, and takes that back', async () => {
    const revoked = async (...envelopes: readonly EncodedEnvelope[]) =>
      (await after(...envelopes)).map((each) => each.revoked);
    const reverted = { revertedEventId: newEventId() };
    const eas = { source: 'eas', attestationUid: hashOf(1), clientAddress: addressOf(6) } as const;
    const { feedbackIndex: _, ...said } = rating('1', 75, eas);
    expect(await revoked(rated(AGENT, 80, 1, rating('1')), rated(AGENT, 78, 2, said))).toEqual([false, false]);
    const upper = CLIENT.toUpperCase().replace('0X', '0x');
    expect(await revoked(about(AGENT, 'feedback_revoked', { ...place(), clientAddress: upper }))).toEqual([
      false,
      true,
    ]);
    expect(await revoked(about(AGENT, 'attestation_revoked', attestation()))).toEqual([true, true]);
    expect(await feedback({ includeRevoked: false })).toEqual([]);
    expect(await revoked(about(AGENT, 'feedback_revocation_reverted', { ...place(), ...reverted }))).toEqual([
      true,
      false,
    ]);
    expect(await indexes({ includeRevoked: false })).toEqual([1]);
    const back = about(AGENT, 'attestation_revocation_reverted', { ...attestation(), ...reverted });
    expect(await revoked(back, about(AGENT, 'attestation_revoked', attestation()))).toEqual([true, false]);
    expect(await revoked(back)).toEqual([true, false]);
    expect(await revoked(about(AGENT, 'attestation_revocation_reverted', { ...attestation(), ...reverted }))).toEqual([
      false,
      false,
    ]);
    expect(await revoked(about(AGENT, 'feedback_revoked', place('2')))).toEqual([false, false]);
  });

  it('forgets feedback that is reverted, and takes it anew', async () => {
    const unnumbered = rating('1', 10);
    const { feedbackIndex: _, ...first } = unnumbered;
    const given = about(AGENT, 'feedback_received', { feedback: first });
    const revertedEventId = given.event.id;
    await after(rated(AGENT, 80, 1, rating('1')), rated(AGENT, 80, 2, rating('2')), given, response(3), response(4));
    expect(await feedback()).toHaveLength(3);
    const gone = about(AGENT, 'feedback_reverted', { ...place(), revertedEventId: newEventId() });
    expect(
      await after(gone, about(AGENT, 'feedback_reverted', { clientAddress: CLIENT, revertedEventId })),
    ).toMatchObject([{ feedbackIndex: '2' }]);
    expect(await after(rated(AGENT, 60, 2, rating('1', 40)), response(5))).toMatchObject([
      { feedbackIndex: '1', score: 40, revoked: false, responses: [{ responder: addressOf(5) }] },
      { feedbackIndex: '2' },
    ]);
    const uid = { source: 'eas', attestationUid: hashOf(1) } as const;
    await after(rated(AGENT, 60, 3, { ...first, ...uid }));
    await after(about(AGENT, 'attestation_reverted', { ...attestation(), revertedEventId: newEventId() }));
    expect(await indexes()).toEqual([1, 2]);
    await after(rated(AGENT, 60, 3, { ...first, ...uid }));
    const { attestationUid } = uid;
    await after(
      about(AGENT, 'feedback_reverted', { clientAddress: CLIENT, attestationUid, revertedEventId: newEventId() }),
    );
    expect(await indexes()).toEqual([1, 2]);
  });

  it('makes feedback anew where it is given again, without what was said to the first', async () => {
    await after(rated(AGENT, 80, 1, rating('1')), response(3), about(AGENT, 'feedback_revoked', place()));
    expect(await after(rated(AGENT, 70, 1, rating('1', 70)))).toMatchObject([
      { score: 70, revoked: false, responses: [] },
    ]);
  });

  it('keeps responses in their order, and withdraws the one whose event is reverted', async () => {
    const [one, two] = [response(3, 'one'), response(3, 'two')];
    const withdraw = ({ event }: EncodedEnvelope) =>
      about(AGENT, 'feedback_response_reverted', {
        ...place(),
        responder: addressOf(3),
        revertedEventId: event.id,
      });
    await after(rated(AGENT, 80, 1, rating('1')), rated(AGENT, 80, 2, rating('2')), one, two, response(4, 'three'));
    const said = async (...envelopes: readonly EncodedEnvelope[]) =>
      (await after(...envelopes)).map(({ responses }) => responses.map(({ responseUri }) => responseUri));
    expect(await said()).toEqual([[], ['one', 'two', 'three']]);
    expect((await feedback())[1]?.responses[0]).toEqual({
      responder: addressOf(3),
      responseUri: 'one',
      responseHash: hashOf(9),
      createdAt: OCCURRED_AT,
    });
    expect(await said(withdraw(two), withdraw(response(3)))).toEqual([[], ['one', 'three']]);
    const four = response(5, 'four');
    expect(await said(four, withdraw(four), withdraw(one), response(3, 'five', '2'))).toEqual([['five'], ['three']]);
    expect(await said(response(3, 'to nobody', '3'))).toEqual([['five'], ['three']]);
  });

  it('shows the first responses only, and no more than so many characters (G9)', async () => {
    const many = range(1, MAX_SHOWN_RESPONSES + 20).map((n) => response(3, `${n}`));
    await after(rated(AGENT, 80, 1, rating('1')), rated(AGENT, 80, 2, rating('2')), ...many.slice(0, 110));
    await after(...many.slice(110));
    const shown = async (n: number) => (await feedback())[n]?.responses.map(({ responseUri }) => responseUri) ?? [];
    expect(await shown(1)).toEqual(range(1, MAX_SHOWN_RESPONSES).map(String));
    const revertedEventId = many[4]?.event.id ?? '';
    await after(about(AGENT, 'feedback_response_reverted', { ...place(), responder: addressOf(3), revertedEventId }));
    expect(await shown(1)).toEqual(
      range(1, MAX_SHOWN_RESPONSES + 1)
        .filter((n) => n !== 5)
        .map(String),
    );
    await after(...range(1, 60).map(() => response(3, '🐚'.repeat(1000), '2')));
    const long = await shown(0);
    expect(long.length).toBeGreaterThan(20);
    expect(long.length * 2_000).toBeLessThan(MAX_SHOWN_RESPONSES_LENGTH);
  });

  it('lists pages of one agent', async () => {
    await after(registered('8453:8'), rated('8453:8', 1, 1, rating('1')));
    await after(...range(1, 9).map((n) => rated(AGENT, 80, n, rating(String(n)))));
    await after(about(AGENT, 'feedback_revoked', place('5')));
    expect(await indexes()).toEqual(range(1, 9).reverse());
    expect(await indexes({ limit: 2 })).toEqual([9, 8]);
    const after8 = (await feedback({ limit: 2 })).at(-1)?.createdPosition ?? 0;
    expect(await indexes({ limit: 3, after: after8 })).toEqual([7, 6, 5]);
    expect(await indexes({ limit: 3, after: after8, includeRevoked: false })).toEqual([7, 6, 4]);
    expect(await indexes({ limit: 0 })).toEqual([]);
    expect(await indexes({ agentId: '8453:8' })).toEqual([1]);
    await after(...range(10, MAX_LISTED_FEEDBACK + 9).map((n) => rated(AGENT, 80, n, rating(String(n)))));
    expect(await indexes({ limit: 1_000_000 })).toHaveLength(MAX_LISTED_FEEDBACK);
  });
}
