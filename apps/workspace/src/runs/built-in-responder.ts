import { RunFailed, type Responder, type ResponderRequest } from './responder';
import { shortened } from './well-formed';

/** A prompt that begins with this makes the built-in responder fail; what follows is its reason. */
const FAIL_PREFIX = 'fail:';

/** Most characters of the prompt that an answer repeats. */
const MAX_REPEATED_LENGTH = 1_000;

/** Answers from the prompt alone: the same prompt always gets the same answer. For development and tests. */
export class BuiltInResponder implements Responder {
  async *respond({ agentId, prompt, signal }: ResponderRequest): AsyncIterable<string> {
    signal.throwIfAborted();
    if (prompt.startsWith(FAIL_PREFIX)) {
      throw new RunFailed(
        shortened(prompt.slice(FAIL_PREFIX.length).trim(), MAX_REPEATED_LENGTH) || 'The prompt asked to fail',
      );
    }
    yield `${agentId} received: ${shortened(prompt.trim(), MAX_REPEATED_LENGTH)}`;
  }
}
