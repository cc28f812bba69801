/**
 * Everything that is remembered of logins: the counts of failures, who is blocked, which logins are known,
 * and which secrets were tried. What follows from it is the guard's.
 *
 * *Knows* keys. *Does not know* names, addresses, limits.
 */

import { FAILED_LOGIN_KEYS, KNOWN_LOGIN_MS, KNOWN_LOGINS, TRIED_PASSWORDS } from "../../limits.ts";
import { MemoryCounts } from "./counts.ts";
import { COUNTS_NAMES, type CountsName, type KeptFailures } from "./kept_failures.ts";
import { KnownLogins } from "./known_logins.ts";

export interface RememberedTimes {
  readonly windowMs: number;
  readonly blockMs: number;
}

/** Those that last as long as a block does; all others last for the window. */
const BLOCKS: ReadonlySet<CountsName> = new Set(["blocked_addresses", "blocked_accounts"]);

export class FailedLogins {
  readonly knownLogins = new KnownLogins({ keepMs: KNOWN_LOGIN_MS, maxPairs: KNOWN_LOGINS });
  /** Not kept over a restart: the key of its digests is not either. */
  readonly tried: MemoryCounts;
  readonly #counts: Readonly<Record<CountsName, MemoryCounts>>;

  constructor(times: RememberedTimes) {
    this.tried = new MemoryCounts({ keepMs: times.windowMs, maxKeys: TRIED_PASSWORDS });
    this.#counts = Object.fromEntries(COUNTS_NAMES.map((name) => [
      name,
      new MemoryCounts({ keepMs: keepMs(name, times), maxKeys: FAILED_LOGIN_KEYS }),
    ])) as Record<CountsName, MemoryCounts>;
  }

  counts(name: CountsName): MemoryCounts {
    return this.#counts[name];
  }

  /** How long things are remembered that happen from now on. */
  set times(times: RememberedTimes) {
    this.tried.keepMs = times.windowMs;
    for (const name of COUNTS_NAMES) this.#counts[name].keepMs = keepMs(name, times);
  }

  async restore({ counts, knownLogins }: KeptFailures): Promise<void> {
    for (const name of COUNTS_NAMES) await this.#counts[name].restore(counts[name]);
    this.knownLogins.restore(knownLogins);
  }
}

function keepMs(name: CountsName, { windowMs, blockMs }: RememberedTimes): number {
  return BLOCKS.has(name) ? blockMs : windowMs;
}
