import { createHash } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** CIDv1, raw bytes, SHA-256 of 32 bytes. */
const RAW_SHA256_PREFIX = Buffer.from([0x01, 0x55, 0x12, 0x20]);
const SHA256_BYTES = 32;

/**
 * Whether these are the bytes that a CID names: undefined where the CID is not simply the hash of the bytes (that of a file in blocks,
 * of a directory), so that nobody can tell.
 */
export function isNamedBy(cid: string, bytes: Uint8Array): boolean | undefined {
  const decoded = fromBase32(cid.slice(1));
  const prefix = decoded.subarray(0, RAW_SHA256_PREFIX.length);
  const digest = decoded.subarray(RAW_SHA256_PREFIX.length);
  if (!cid.startsWith('b') || !prefix.equals(RAW_SHA256_PREFIX) || digest.length !== SHA256_BYTES) {
    return undefined;
  }
  return createHash('sha256').update(bytes).digest().equals(digest);
}

/** Lower case, without padding; bits that make no whole byte are dropped. */
function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}
