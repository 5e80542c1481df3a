import type { Endpoint } from './endpoint';

export interface Answer<T> {
  readonly endpoint: Endpoint;
  readonly value: T;
}

export interface Agreement<T> {
  readonly value: T;
  readonly agreeing: readonly Answer<T>[];
  readonly dissenting: readonly Answer<T>[];
}

/** What enough endpoints say alike; undefined where no answer was given by that many. */
export function majority<T>(
  answers: readonly Answer<T>[],
  needed: number,
  digestOf: (value: T) => string,
): Agreement<T> | undefined {
  const [only] = answers;
  if (needed === 1 && answers.length === 1 && only !== undefined) {
    return { value: only.value, agreeing: answers, dissenting: [] };
  }
  const alike = new Map<string, Answer<T>[]>();
  for (const answer of answers) {
    const digest = digestOf(answer.value);
    const group = alike.get(digest);
    if (group === undefined) alike.set(digest, [answer]);
    else group.push(answer);
  }
  for (const agreeing of alike.values()) {
    const [first] = agreeing;
    if (first === undefined || agreeing.length < needed) continue;
    return {
      value: first.value,
      agreeing,
      dissenting: answers.filter((answer) => !agreeing.includes(answer)),
    };
  }
  return undefined;
}
