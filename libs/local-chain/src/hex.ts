/** 0x and hexadecimal digits. */
export type Hex = `0x${string}`;

/** 0x and 40 hexadecimal digits. */
export type Address = Hex;

/** 32 bytes of zero. */
export const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;

export const ZERO_ADDRESS: Address = `0x${'00'.repeat(20)}`;
