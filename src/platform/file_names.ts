/**
 * Whether `node:fs` hands out file names octet by octet. Bun does. Deno replaces what is not UTF-8 by
 * U+FFFD and cannot open such a file afterwards.
 */
export const fileNamesAreExact = !("Deno" in globalThis);
