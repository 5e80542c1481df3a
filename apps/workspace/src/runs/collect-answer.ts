import { MAX_WORKSPACE_TEXT_LENGTH } from '@sluice/event-schema';
import { MAX_ANSWER_PIECES, MAX_PIECE_LENGTH, RunFailed, type Responder, type ResponderRequest } from './responder';
import { wellFormed } from './well-formed';

/** The pieces of an answer, checked and within bounds: what cannot be an event fails the run. */
export async function* answerPieces(responder: Responder, request: ResponderRequest): AsyncIterable<string> {
  let pieces = 0;
  for await (const piece of responder.respond(request)) {
    if (++pieces > MAX_ANSWER_PIECES) throw new RunFailed(`An answer has at most ${MAX_ANSWER_PIECES} pieces`);
    if (piece.length > MAX_PIECE_LENGTH) throw new RunFailed(`A piece has at most ${MAX_PIECE_LENGTH} characters`);
    yield wellFormed(piece);
  }
}

/** The whole answer as one text; pieces stand on lines of their own. */
export async function wholeAnswer(responder: Responder, request: ResponderRequest): Promise<string> {
  let answer: string | undefined;
  for await (const piece of answerPieces(responder, request)) {
    answer = answer === undefined ? piece : `${answer}\n${piece}`;
    if (answer.length > MAX_WORKSPACE_TEXT_LENGTH) {
      throw new RunFailed(`An answer has at most ${MAX_WORKSPACE_TEXT_LENGTH} characters`);
    }
  }
  return answer ?? '';
}
