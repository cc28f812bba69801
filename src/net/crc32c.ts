/** CRC-32C (RFC 3720 §B.4), as the PROXY protocol sends it. */

const POLYNOMIAL_REVERSED = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let rest = octet;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL_REVERSED : 0);
  return rest;
});

/** The checksum, 0 to 2^32 - 1. */
export function crc32c(octets: Uint8Array): number {
  let rest = 0xffff_ffff;
  for (const octet of octets) rest = (rest >>> 8) ^ TABLE[(rest ^ octet) & 0xff]!;
  return (rest ^ 0xffff_ffff) >>> 0;
}
