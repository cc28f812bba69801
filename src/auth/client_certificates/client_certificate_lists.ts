/**
 * The files with certificate revocation lists, read again when they change.
 *
 * A file is looked at when it is asked for and the last look is a second old. One that cannot be used any
 * more (gone, half written, signed by somebody else) leaves what was read before, which the log says once,
 * until that is out of date; then its issuer's certificates are good for nothing.
 *
 * *Knows* files, the authorities and the log. *Does not know* which certificates are asked about.
 */

import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import { REVOCATION_LIST_OCTETS } from "../../limits.ts";
import type { Certificate } from "../x509/certificate.ts";
import { readRevocationList, type RevocationList } from "../x509/revocation_list.ts";

const logger = getLogger(["popkeep", "auth"]);

/** How often a login may look at the files. */
const LOOK_MS = 1_000;

/** A file that was written this shortly before it was read may have changed within a tick of its clock. */
const SETTLED_MS = 2_000;

export interface Authority {
  readonly x509: X509Certificate;
  readonly fields: Certificate;
}

interface Loaded {
  readonly lists: readonly RevocationList[];
  readonly stamp: string;
  /** Something may have been written since, in the same tick of the file system's clock. */
  readonly doubtful: boolean;
}

export interface RevocationFilesOptions {
  readonly paths: readonly string[];
  readonly authorities: readonly Authority[];
  /** The time of day, ms. */
  readonly nowMs: () => number;
}

/**
 * Reads all files. Nothing is held open.
 *
 * @throws {Error} If one cannot be used; its message names the file and the reason.
 */
export async function openRevocationFiles(
  options: RevocationFilesOptions,
): Promise<RevocationFiles> {
  const loaded = await Promise.all(options.paths.map(async (path): Promise<[string, Loaded]> => {
    try {
      return [path, await load(path, options)];
    } catch (error) {
      throw new Error(`The revocation list "${path}" cannot be used: ${reasonOf(error)}`);
    }
  }));
  return new RevocationFiles(options, new Map(loaded));
}

export class RevocationFiles {
  readonly #options: RevocationFilesOptions;
  readonly #loaded: Map<string, Loaded>;
  readonly #broken = new Set<string>();
  #lookedMs: number;
  #looking: Promise<void> | undefined;

  /** Use `openRevocationFiles`. */
  constructor(options: RevocationFilesOptions, loaded: Map<string, Loaded>) {
    this.#options = options;
    this.#loaded = loaded;
    this.#lookedMs = options.nowMs();
  }

  /** All lists as the files have them now, or had them when they could last be used. */
  async lists(): Promise<readonly RevocationList[]> {
    const sinceMs = this.#options.nowMs() - this.#lookedMs;
    // Less than nothing when the clock was set back.
    if (this.#looking !== undefined || sinceMs >= LOOK_MS || sinceMs < 0) await this.#look();
    return [...this.#loaded.values()].flatMap(({ lists }) => lists);
  }

  /** One look at a time; who comes meanwhile waits for it. */
  #look(): Promise<void> {
    this.#looking ??= Promise.all(this.#options.paths.map((path) => this.#reread(path)))
      .then(() => {
        this.#lookedMs = this.#options.nowMs();
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** Never rejects. */
  async #reread(path: string): Promise<void> {
    const known = this.#loaded.get(path);
    try {
      const loaded = await load(path, this.#options, known);
      if (loaded !== known) {
        this.#loaded.set(path, loaded);
        logger.info("read a revocation list", { file: path });
      }
      this.#broken.delete(path);
    } catch (error) {
      if (this.#broken.has(path)) return;
      this.#broken.add(path);
      logger.error("a revocation list cannot be used; what it said before holds until it is due", {
        file: path,
        error: reasonOf(error),
      });
    }
  }
}

/** Gives `known` back if the file is still the same. */
async function load(
  path: string,
  { authorities, nowMs }: RevocationFilesOptions,
  known?: Loaded,
): Promise<Loaded> {
  const file = await open(path, "r");
  try {
    const { ino, size, mtimeNs, mtimeMs } = await file.stat({ bigint: true });
    const stamp = `${ino} ${size} ${mtimeNs}`;
    if (known?.stamp === stamp && !known.doubtful) return known;
    if (size > REVOCATION_LIST_OCTETS) {
      throw new Error(`it has more than ${REVOCATION_LIST_OCTETS} octets`);
    }
    const lists = splitLists(await file.readFile()).map(readRevocationList);
    for (const list of lists) verifyIssuer(list, authorities);
    return { lists, stamp, doubtful: Math.abs(nowMs() - Number(mtimeMs)) < SETTLED_MS };
  } finally {
    await file.close();
  }
}

/** With this octet everything in DER begins that could be a list. */
const DER_SEQUENCE = 0x30;

/** A file is one list in DER, or any number of them in PEM. */
function splitLists(octets: Uint8Array): Uint8Array[] {
  const text = Buffer.from(octets).toString("latin1");
  const armoured = text.matchAll(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g);
  const lists = Array.from(armoured, ([, base64 = ""]) => Buffer.from(base64, "base64"));
  if (lists.length > 0) return lists;
  if (octets[0] !== DER_SEQUENCE) throw new Error("it is no list, neither in PEM nor in DER");
  return [octets];
}

function verifyIssuer(list: RevocationList, authorities: readonly Authority[]): void {
  const named = authorities.filter(({ fields }) => fields.subject === list.issuer);
  if (named.length === 0) throw new Error("its issuer is none of the authorities");
  const signed = named.some(({ x509, fields }) =>
    fields.signsLists && list.isSignedBy(x509.publicKey)
  );
  if (!signed) throw new Error("its signature is not that of its issuer");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
