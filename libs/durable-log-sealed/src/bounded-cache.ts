import { ageMs, type Moment } from './key-age';

export interface Aged {
  /** When it was asked for. */
  readonly askedAt: Moment;
}

/** Answers that are good for a time, and no more of them than a number: what was put in first goes first. */
export class BoundedCache<Answer extends Aged> {
  private readonly answers = new Map<string, Answer>();

  constructor(private readonly limits: { readonly maxCount: number; readonly maxAgeMs: number }) {}

  /** The answer, unless it is too old. */
  get(name: string): Answer | undefined {
    const answer = this.answers.get(name);
    if (answer === undefined || ageMs(answer.askedAt) < this.limits.maxAgeMs) return answer;
    this.answers.delete(name);
    return undefined;
  }

  put(name: string, answer: Answer): void {
    this.answers.delete(name);
    this.answers.set(name, answer);
    for (const first of this.answers.keys()) {
      if (this.answers.size <= this.limits.maxCount) return;
      this.answers.delete(first);
    }
  }
}
