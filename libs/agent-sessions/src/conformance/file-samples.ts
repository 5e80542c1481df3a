import type { FileStore } from '../file-store';

/** More than any test stores. */
export const ROOM_BYTES = 64 * 1024 * 1024;

export async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** So many bytes that tell their place, in pieces of odd sizes. */
export async function* patternOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  const pieceBytes = 100_003;
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, sizeBytes - at));
    for (let index = 0; index < piece.length; index++) piece[index] = patternAt(at + index);
    yield piece;
  }
}

export function patternAt(place: number): number {
  return (place * 31 + (place >>> 8) + 1) & 0xff;
}

export async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(new Uint8Array(chunk));
  return Buffer.concat(chunks);
}

/** The text of a file; undefined when there is none. Fails when its size is told wrong. */
export async function textIn(store: FileStore, key: string): Promise<string | undefined> {
  const file = await store.get(key);
  if (file === undefined) return undefined;
  const bytes = await bytesOf(file.content);
  expect(bytes.byteLength).toBe(file.sizeBytes);
  return Buffer.from(bytes).toString('utf8');
}

export async function putText(store: FileStore, key: string, text: string): Promise<void> {
  const content = chunksOf(...text.split('').map((letter) => Buffer.from(letter)));
  await store.put({ key, content, maxBytes: ROOM_BYTES });
}

/** Content that stands still until it is told to go on or to break; it tells when it is let go of. */
export class HeldContent {
  readonly letGo: Promise<void>;
  /** Resolves when the store has taken all chunks and waits for more. */
  readonly reached: Promise<void>;
  private readonly held: Promise<void>;
  private onLetGo: () => void = () => undefined;
  private onReached: () => void = () => undefined;
  private goOn: () => void = () => undefined;
  private breakOff: (reason: unknown) => void = () => undefined;

  constructor(private readonly chunks: readonly Uint8Array[]) {
    this.letGo = new Promise((resolve) => (this.onLetGo = resolve));
    this.reached = new Promise((resolve) => (this.onReached = resolve));
    this.held = new Promise((resolve, reject) => ([this.goOn, this.breakOff] = [resolve, reject]));
    this.held.catch(() => undefined);
  }

  end(): void {
    this.goOn();
  }

  fail(reason: unknown): void {
    this.breakOff(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.chunks;
      this.onReached();
      await this.held;
    } finally {
      this.onLetGo();
    }
  }
}
