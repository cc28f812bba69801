/**
 * A certificate authority for tests, by the command openssl: certificates for servers and clients, and
 * revocation lists. It lives in a folder of its own, which is whoever's who names it.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Where the two lie. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Wanted {
  readonly commonName: string;
  /** As openssl's configuration has it: "email:alice@example.com", "otherName:OID;UTF8:...". */
  readonly alternatives?: readonly string[];
  /** Further lines of extensions. */
  readonly extensions?: readonly string[];
  /** Days from now. */
  readonly begins?: number;
  readonly ends?: number;
}

export interface WantedList {
  /** Days from now. */
  readonly updated?: number;
  readonly nextUpdate?: number;
  /** Further lines of extensions. */
  readonly extensions?: readonly string[];
}

/** Microsoft's name for a user principal name among a certificate's alternatives. */
export const UPN = "otherName:1.3.6.1.4.1.311.20.2.3;FORMAT:UTF8,UTF8:";

const DAY_MS = 86_400_000;

export class Authority {
  readonly #folder: string;
  readonly certificateFile: string;
  readonly #keyFile: string;
  #issued = 0;

  /**
   * Makes a self-signed authority, or one that `issuer` signs; its folder is `name` in `parent`.
   *
   * @param keyUsage What its key is for, as openssl's configuration has it.
   */
  constructor(parent: string, name: string, issuer?: Authority, keyUsage = "keyCertSign,cRLSign") {
    this.#folder = join(parent, name.replaceAll(" ", "_"));
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, "index.txt"), "");
    writeFileSync(join(this.#folder, "index.txt.attr"), "unique_subject = no\n");
    writeFileSync(join(this.#folder, "serial"), "01\n");
    writeFileSync(join(this.#folder, "crlnumber"), "01\n");
    const extensions = ["basicConstraints=critical,CA:TRUE", `keyUsage=${keyUsage}`];
    if (issuer === undefined) {
      this.certificateFile = join(this.#folder, "ca.pem");
      this.#keyFile = join(this.#folder, "ca.key");
      openssl(
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-subj", `/CN=${name}`, "-days", "30", "-keyout", this.#keyFile],
        ...["-out", this.certificateFile],
        ...extensions.flatMap((one) => ["-addext", one]),
      );
    } else {
      const issued = issuer.issue({ commonName: name, extensions });
      this.certificateFile = issued.certificateFile;
      this.#keyFile = issued.keyFile;
    }
    this.#configure([]);
  }

  get certificate(): string {
    return readFileSync(this.certificateFile, "utf8");
  }

  issue(wanted: Wanted): Issued {
    const { commonName, alternatives = [], extensions = [], begins = -1, ends = 30 } = wanted;
    const base = join(this.#folder, `issued${++this.#issued}`);
    const [keyFile, request, certificateFile] = [`${base}.key`, `${base}.csr`, `${base}.pem`];
    const subject = commonName === "" ? "/O=Test" : `/CN=${commonName}`;
    openssl(
      ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", subject, "-utf8", "-keyout", keyFile, "-out", request],
    );
    // In a section of their own they may have commas in them.
    const names = alternatives.map((one, index) => one.replace(":", `.${index} = `));
    const named = names.length === 0 ? [] : ["subjectAltName = @names", "[names]", ...names];
    const all = ["authorityKeyIdentifier=keyid", ...extensions, ...named];
    writeFileSync(`${base}.ext`, all.join("\n") + "\n");
    openssl(
      ...["ca", "-batch", "-notext", "-config", this.#configure([]), "-in", request],
      ...["-out", certificateFile, "-extfile", `${base}.ext`],
      ...["-startdate", daysFromNow(begins), "-enddate", daysFromNow(ends)],
    );
    const certificate = readFileSync(certificateFile, "utf8");
    return { certificate, key: readFileSync(keyFile, "utf8"), certificateFile, keyFile };
  }

  revoke({ certificateFile }: Pick<Issued, "certificateFile">): void {
    openssl("ca", "-config", this.#configure([]), "-revoke", certificateFile);
  }

  /** The list of those revoked so far, PEM. */
  revocationList({ updated = -1, nextUpdate = 30, extensions = [] }: WantedList = {}): string {
    const file = join(this.#folder, "crl.pem");
    openssl(
      ...["ca", "-gencrl", "-config", this.#configure(extensions), "-out", file],
      ...["-crl_lastupdate", daysFromNow(updated), "-crl_nextupdate", daysFromNow(nextUpdate)],
    );
    return readFileSync(file, "utf8");
  }

  #configure(listExtensions: readonly string[]): string {
    const file = join(this.#folder, "ca.cnf");
    writeFileSync(
      file,
      [
        "[ca]",
        "default_ca = this",
        "[this]",
        `dir = ${this.#folder}`,
        `database = ${this.#folder}/index.txt`,
        `new_certs_dir = ${this.#folder}`,
        `serial = ${this.#folder}/serial`,
        `crlnumber = ${this.#folder}/crlnumber`,
        `certificate = ${this.certificateFile}`,
        `private_key = ${this.#keyFile}`,
        "default_md = sha256",
        "default_crl_days = 30",
        "policy = any",
        "email_in_dn = no",
        "crl_extensions = list",
        "[any]",
        "commonName = optional",
        "organizationName = optional",
        "[list]",
        "authorityKeyIdentifier = keyid",
        ...listExtensions,
        "",
      ].join("\n"),
    );
    return file;
  }
}

/** YYYYMMDDHHMMSSZ */
function daysFromNow(days: number): string {
  const time = new Date(Date.now() + days * DAY_MS).toISOString();
  return time.slice(0, 19).replace(/[-:T]/g, "") + "Z";
}

function openssl(...words: string[]): void {
  execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
}
