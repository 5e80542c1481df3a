import { BuiltInResponder } from '../src/runs/built-in-responder';
import type { Responder, ResponderRequest } from '../src/runs/responder';

/** The built-in responder, that can also be made to wait: until it is let go, or for ever. */
export class TestResponder implements Responder {
  readonly asked: ResponderRequest[] = [];
  /** The prompts whose wait was broken off. */
  readonly aborted: string[] = [];
  private readonly builtIn = new BuiltInResponder();
  private letGo: () => void = () => undefined;
  private readonly free = new Promise<void>((resolve) => (this.letGo = resolve));

  /** Ends the wait of all prompts that begin with `wait`. */
  release(): void {
    this.letGo();
  }

  async *respond(request: ResponderRequest): AsyncIterable<string> {
    this.asked.push(request);
    const { prompt, signal } = request;
    if (prompt.startsWith('pieces')) yield 'first piece';
    if (prompt.startsWith('broken')) throw new Error('a secret of ours');
    if (prompt.startsWith('huge')) yield 'x'.repeat(200_000);
    if (prompt.startsWith('wait')) {
      signal.addEventListener('abort', () => this.aborted.push(prompt));
      await this.free;
    }
    yield* this.builtIn.respond({ ...request, signal: new AbortController().signal });
  }
}
