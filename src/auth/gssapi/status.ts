/**
 * What it means when a GSS-API call fails: the client's fault, or an outage of ours, and in which words an
 * operator is told.
 *
 * *Knows* the codes of RFC 2744 §3.9.1 and of Kerberos (RFC 4120 §7.5.9, and the library's own of
 * krb5_err.et). Pure.
 */

/** Routine errors, the third octet of a major status (RFC 2744 §3.9.1). */
const ROUTINE = {
  badBindings: 4,
  noCredential: 7,
  credentialsExpired: 11,
  failure: 13,
  unavailable: 16,
} as const;

/** Numbers of errors within Kerberos' table; below 128 are those of the protocol, which name the ticket. */
const KERBEROS = {
  integrity: 31,
  expired: 32,
  notYetValid: 33,
  replay: 34,
  notForUs: 35,
  skew: 37,
  keyVersion: 44,
  noKey: 45,
  wrongPrincipal: 144,
  isReplay: 163,
  noKeytabEntry: 181,
} as const;

/** ERROR_TABLE_BASE_krb5, as an unsigned number. */
const KERBEROS_TABLE = -1_765_328_384 >>> 0;
const KERBEROS_TABLE_LENGTH = 256;

/** Kerberos' own errors that tell of the settings, the replay cache or the keytab: ours to mend. */
const OURS: readonly (readonly [first: number, last: number])[] = [
  [135, 136], // krb5.conf
  [159, 162], // replay cache
  [164, 172], // replay cache, I/O
  [179, 180], // keytab name
  [182, 184], // keytab, I/O
  [211, 211], // replay cache format
  [213, 213], // keytab format
  [215, 215], // no replay cache
  [229, 229], // keytab name
  [235, 235], // keytab format
];

/** Numbers of errno end here; a Kerberos library passes on what the system says. */
const ERRNO_END = 200;

/** Of errno, what garbage from a client brings about in the library: EINVAL, ERANGE, EOVERFLOW. */
const GARBAGE_ERRNO: ReadonlySet<number> = new Set([22, 34, 75]);

export interface Fault {
  /** `refused`: the client has not proved anything. `failed`: we could not find out. */
  readonly kind: "refused" | "failed";
  /** For the log; what the library says of it is told besides. */
  readonly reason: string;
}

/** Judges the failure of an accepting call. */
export function judge(major: number, minor: number): Fault {
  const routine = (major >>> 16) & 0xff;
  if (routine === ROUTINE.badBindings) {
    return refused("the client is bound to another TLS connection than this one");
  }
  const code = (minor >>> 0) - KERBEROS_TABLE;
  if (code >= 0 && code < KERBEROS_TABLE_LENGTH) return judgeKerberos(code);
  if (routine === ROUTINE.credentialsExpired) return refused("the ticket has expired");
  if (routine === ROUTINE.unavailable) return failed("the Kerberos library lacks something");
  const isErrno = minor > 0 && minor < ERRNO_END && !GARBAGE_ERRNO.has(minor);
  if (isErrno && (routine === ROUTINE.failure || routine === ROUTINE.noCredential)) {
    return failed("the system refused the Kerberos library something");
  }
  return refused("what the client sent is no Kerberos token, or a damaged one");
}

function judgeKerberos(code: number): Fault {
  switch (code) {
    case KERBEROS.expired:
      return refused("the ticket has expired");
    case KERBEROS.notYetValid:
      return refused("the ticket is not valid yet");
    case KERBEROS.replay:
    case KERBEROS.isReplay:
      return refused("the token was used before");
    case KERBEROS.skew:
      return refused("the client's clock and ours differ too much");
    case KERBEROS.notForUs:
    case KERBEROS.wrongPrincipal:
    case KERBEROS.noKeytabEntry:
      return refused("the ticket is for another service than those of the keytab");
    case KERBEROS.keyVersion:
    case KERBEROS.noKey:
      return refused("the ticket is for a key that the keytab does not hold; is the keytab old?");
    case KERBEROS.integrity:
      return refused("the ticket does not open with the keytab's key; is the keytab old?");
  }
  if (OURS.some(([first, last]) => code >= first && code <= last)) {
    return failed("the Kerberos library cannot work as it is set up");
  }
  return refused("the ticket, or what came with it, is not right");
}

function refused(reason: string): Fault {
  return { kind: "refused", reason };
}

function failed(reason: string): Fault {
  return { kind: "failed", reason };
}
