import { ageMs, type Moment } from './key-age';

export interface Aged {
  /** When it was asked for. */
  readonly askedAt: Moment;
}

/** Answers that are used up to an age, and at most so many of them: the one that was put in or renewed first makes room. */
export class BoundedCache<Answer extends Aged> {
  private readonly answers = new Map<string, Answer>();

  constructor(private readonly limits: { readonly maxCount: number; readonly maxAgeMs: number }) {}

  /** The answer, unless it is too old; then it is dropped. */
  get(name: string): Answer | undefined {
    const answer = this.answers.get(name);
    if (answer === undefined || ageMs(answer.askedAt) < this.limits.maxAgeMs) return answer;
    this.answers.delete(name);
    return undefined;
  }

  put(name: string, answer: Answer): void {
    // Behind all others, also where it was before.
    this.answers.delete(name);
    this.answers.set(name, answer);
    for (const first of this.answers.keys()) {
      if (this.answers.size <= this.limits.maxCount) return;
      this.answers.delete(first);
    }
  }
}
