/** Most bytes of the JSON of what is kept of a registration file, so that an event with it stays below 64 KiB. */
export const MAX_FILE_SUMMARY_BYTES = 28 * 1024;

/** Most bytes of a registration file that are parsed. Whoever reads files reads less. */
export const MAX_REGISTRATION_FILE_BYTES = 16 * 1024 * 1024;

/** Most levels of objects and arrays in a registration file. */
export const MAX_REGISTRATION_FILE_DEPTH = 64;

/** Most bytes of a file that stands in its URI. */
export const MAX_INLINE_FILE_BYTES = 1024 * 1024;

/** Longest skill, domain or kind of trust that a file declares, in Unicode characters. */
export const MAX_DECLARED_LENGTH = 200;
