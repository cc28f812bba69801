/**
 * Reads the names in a keytab, not the keys: which realms it serves, and whether it has the service.
 *
 * The format is MIT's, version 2: `05 02`, then entries of a signed length and so many octets, big endian.
 * A negative length is a hole. An entry begins with the number of the principal's components, the realm
 * and the components, each a 16-bit length and its octets.
 *
 * Pure. What is not as it should be ends the reading: a keytab is written by the system's own tools.
 */

export interface KeytabPrincipal {
  readonly realm: string;
  /** Such as `pop` and the host's name. */
  readonly components: readonly string[];
}

const VERSION = 0x0502;

/** The principals in their order, each as often as it has keys; undefined if this is no such keytab. */
export function readKeytab(octets: Uint8Array): KeytabPrincipal[] | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length < 2 || view.getUint16(0) !== VERSION) return undefined;
  const principals: KeytabPrincipal[] = [];
  for (let at = 2; at + 4 <= octets.length;) {
    const length = view.getInt32(at);
    at += 4;
    if (length === 0) break;
    if (at + Math.abs(length) > octets.length) return undefined;
    if (length > 0) {
      const principal = readPrincipal(octets.subarray(at, at + length));
      if (principal === undefined) return undefined;
      principals.push(principal);
    }
    at += Math.abs(length);
  }
  return principals;
}

/** The realms in which the service has a key, each once. */
export function realmsOf(principals: readonly KeytabPrincipal[], service: string): string[] {
  const ofService = principals.filter(({ components }) => components[0] === service);
  return [...new Set(ofService.map(({ realm }) => realm))];
}

function readPrincipal(entry: Uint8Array): KeytabPrincipal | undefined {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  if (entry.length < 2) return undefined;
  const texts: string[] = [];
  let at = 2;
  // The realm comes before the components, and is not counted as one.
  for (let left = view.getUint16(0) + 1; left > 0; left--) {
    if (at + 2 > entry.length) return undefined;
    const end = at + 2 + view.getUint16(at);
    if (end > entry.length) return undefined;
    texts.push(new TextDecoder().decode(entry.subarray(at + 2, end)));
    at = end;
  }
  const [realm, ...components] = texts;
  return { realm: realm!, components };
}
