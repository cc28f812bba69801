/**
 * Opens for a moment what logins would be decided by, and tells everything that is wrong with it: what
 * `serve` would refuse as faults, what it would start with all the same as warnings.
 *
 * Nothing is made or changed in `state_folder`, since who runs a command may be root, and the server
 * could then not write there.
 *
 * *Knows*: settings, how the parts are opened. *Does not know*: users, how it is shown.
 */

import { readFile } from "node:fs/promises";
import { parseObject } from "../auth/oauth/json_object.ts";
import { countUsableKeys } from "../auth/oauth/usable_keys.ts";
import type { CertificatePair } from "../net/certificates.ts";
import type { Settings, Warning } from "../settings.ts";
import { checkDirectory, type Findings } from "./directory_check.ts";
import { kerberosFaultOf } from "./kerberos_fault.ts";
import {
  clientCertificateOptions,
  openCertificates,
  openTokens,
  tokenOptions,
  weakSchemesOf,
} from "./login_options.ts";
import type { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { SettingFault } from "./setting_fault.ts";
import { tlsAcceptorFor } from "./tls_part.ts";

/**
 * Looks at everything; never rejects for what it finds. `parts` closes what was opened.
 *
 * @param certificates Where they were read before, as somebody else.
 */
export async function checkLogins(
  settings: Settings,
  parts: Parts,
  certificates?: readonly CertificatePair[],
): Promise<Findings> {
  const check = new LoginCheck(settings, parts, certificates);
  await check.run();
  return check;
}

class LoginCheck implements Findings {
  readonly #settings: Settings;
  readonly #parts: Parts;
  readonly #certificates: readonly CertificatePair[] | undefined;
  readonly faults: SettingFault[] = [];
  readonly warnings: Warning[] = [];

  constructor(
    settings: Settings,
    parts: Parts,
    certificates: readonly CertificatePair[] | undefined,
  ) {
    this.#settings = settings;
    this.#parts = parts;
    this.#certificates = certificates;
  }

  async run(): Promise<void> {
    await this.#try(() => weakSchemesOf(this.#settings));
    await this.#directories();
    await this.#tokens();
    await this.#clientCertificates();
    await this.#try(() => tlsAcceptorFor(this.#settings, this.#certificates));
    await this.#try(async () => {
      const fault = await kerberosFaultOf(this.#settings);
      if (fault !== undefined) this.#warn("gssapi_keytab", `AUTH GSSAPI cannot work: ${fault}`);
    });
  }

  #warn(key: string, message: string): void {
    this.warnings.push({ key, message: printable(message) });
  }

  /** Undefined where it is a fault, which is then known, though once. */
  async #try<Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SettingFault)) throw error;
      const { key } = error;
      if (!this.faults.some((fault) => fault.key === key)) this.faults.push(error);
      return undefined;
    }
  }

  async #directories(): Promise<void> {
    const { settings, parts } = { settings: this.#settings, parts: this.#parts };
    // At the same time, since each may take its time limit.
    const found = await Promise.all(
      settings.directories.keys().map((index) => checkDirectory(index, settings, parts)),
    );
    for (const { faults, warnings } of found) {
      this.faults.push(...faults);
      this.warnings.push(...warnings);
    }
  }

  async #tokens(): Promise<void> {
    const options = tokenOptions(this.#settings);
    if (options === undefined) return;
    const { keySet, introspection, issuer, audience, scopes } = options;
    const opened = await this.#try(() => openTokens(options));
    if (opened !== undefined && keySet !== "" && !/^https?:/.test(keySet)) {
      const keys = await countUsableKeys(parseObject(await readFile(keySet)));
      if (keys === 0) {
        this.#warn("oauth_jwks", `${keySet} has no key that a token can be signed with`);
      }
    }
    if (keySet !== "" && issuer === "") {
      this.#warn(
        "oauth_issuer",
        "tokens of every issuer are taken that has a key in the key set of oauth_jwks",
      );
    }
    if (introspection !== undefined && audience.length === 0 && scopes.length === 0) {
      this.#warn(
        "oauth_introspection_url",
        "tokens for every purpose are taken that it knows: neither oauth_audience nor " +
          "oauth_scopes is set",
      );
    }
  }

  async #clientCertificates(): Promise<void> {
    const settings = this.#settings;
    const options = await this.#try(() => clientCertificateOptions(settings));
    if (options === undefined) return;
    await this.#try(() => openCertificates({ ...options, revocationLists: [] }, settings));
    if (this.faults.some(({ key }) => key === "client_certificate_authorities")) return;
    for (const [index, file] of options.revocationLists.entries()) {
      await this.#try(async () => {
        const opened = await openCertificates({ ...options, revocationLists: [file] }, settings);
        const lists = await opened.revocationLists();
        this.#dates(`client_certificate_revocation_lists[${index}]`, file, lists);
      });
    }
  }

  #dates(
    key: string,
    file: string,
    lists: readonly { readonly thisUpdateMs: number; readonly nextUpdateMs: number }[],
  ): void {
    const nowMs = Date.now();
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const so = "nobody gets in whose certificate it is about";
    for (const { thisUpdateMs, nextUpdateMs } of lists) {
      if (nextUpdateMs <= nowMs) {
        this.#warn(key, `${file} was to be renewed by ${day(nextUpdateMs)}; ${so}`);
      } else if (thisUpdateMs > nowMs) {
        this.#warn(key, `${file} says nothing before ${day(thisUpdateMs)}; ${so}`);
      }
    }
  }
}
