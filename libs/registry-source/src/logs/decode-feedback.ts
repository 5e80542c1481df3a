import type { FeedbackGivenFact } from '@sluice/agent-registry';
import { AbiReader, addressOf, decimalOf, textOfBytes32 } from './abi-reader';
import { tagOfHash } from './known-tags';
import type { RawLog } from './raw-log';
import { TOPICS } from './topics';

type Said = Pick<
  FeedbackGivenFact,
  'feedbackIndex' | 'value' | 'valueDecimals' | 'tag1' | 'tag2' | 'endpoint' | 'feedbackUri' | 'feedbackHash'
>;

type ReadFeedback = (data: AbiReader, thirdTopic: string) => Said;

function readValue(data: AbiReader): Omit<Said, 'value'> {
  return {
    feedbackIndex: data.uint64(0),
    valueDecimals: data.uint8(2),
    tag1: data.text(3),
    tag2: data.text(4),
    endpoint: data.text(5),
    feedbackUri: data.text(6),
    feedbackHash: data.bytes32(7),
  };
}

/** How each version of the contract says it. A score of 0 to 100 is a value without decimals. */
const READERS: ReadonlyMap<string, ReadFeedback> = new Map<string, ReadFeedback>([
  [
    TOPICS.feedback200,
    (data) => ({
      feedbackIndex: data.uint64(0),
      value: data.signed(1, 128),
      valueDecimals: data.uint8(2),
      tag1: data.text(3),
      tag2: data.text(4),
      endpoint: data.text(5),
      feedbackUri: data.text(6),
      feedbackHash: data.bytes32(7),
    }),
  ],
  [TOPICS.feedbackInt256, (data) => ({ ...readValue(data), value: data.signed(1, 256) })],
  [TOPICS.feedbackUint256, (data) => ({ ...readValue(data), value: data.uint256(1) })],
  [
    TOPICS.feedback110Tag,
    (data) => ({
      feedbackIndex: data.uint64(0),
      value: String(data.uint8(1)),
      valueDecimals: 0,
      tag1: data.text(2),
      tag2: data.text(3),
      endpoint: data.text(4),
      feedbackUri: data.text(5),
      feedbackHash: data.bytes32(6),
    }),
  ],
  [
    TOPICS.feedback110,
    (data, tag1Hash) => ({
      feedbackIndex: data.uint64(0),
      value: String(data.uint8(1)),
      valueDecimals: 0,
      tag1: tagOfHash(tag1Hash),
      tag2: data.text(2),
      endpoint: data.text(3),
      feedbackUri: data.text(4),
      feedbackHash: data.bytes32(5),
    }),
  ],
  [
    TOPICS.feedback100,
    (data, tag1) => ({
      value: String(data.uint8(0)),
      valueDecimals: 0,
      tag1: textOfBytes32(tag1.slice(2)),
      tag2: textOfBytes32(data.word(1)),
      endpoint: '',
      feedbackUri: data.text(2),
      feedbackHash: data.bytes32(3),
    }),
  ],
]);

/** A NewFeedback of any version; undefined where the data does not have its form. */
export function decodeFeedback(log: RawLog): FeedbackGivenFact | undefined {
  const [topic, agent, client, tag] = log.topics;
  if (topic === undefined || agent === undefined || client === undefined || tag === undefined) return undefined;
  const read = READERS.get(topic);
  const from = addressOf(client.slice(2));
  if (read === undefined || from === undefined) return undefined;
  const data = new AbiReader(log.data);
  const said = read(data, tag);
  if (data.failed) return undefined;
  return {
    kind: 'feedback_given',
    transactionHash: log.transactionHash,
    logIndex: log.logIndex,
    tokenId: decimalOf(agent.slice(2)),
    client: from,
    ...said,
  };
}
