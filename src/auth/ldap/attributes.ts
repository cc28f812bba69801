/**
 * The attributes of one entry, by name in any letter case (RFC 4512 §2.5), with all their values.
 *
 * *Knows* what ldapts makes of an entry. *Does not know* which attributes there are.
 */

import { Buffer } from "node:buffer";
import type { Entry } from "ldapts";

export class Attributes {
  readonly dn: string;
  readonly #values = new Map<string, readonly (string | Buffer)[]>();

  constructor(entry: Entry) {
    const { dn, ...attributes } = entry;
    this.dn = dn;
    for (const [name, value] of Object.entries(attributes)) {
      const values: readonly (string | Buffer)[] = Array.isArray(value) ? value : [value];
      if (values.length > 0) this.#values.set(name.toLowerCase(), values);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  /** All values as text; one that is no UTF-8 has signs in it that stand for what is not. */
  texts(name: string): string[] {
    return (this.#values.get(name.toLowerCase()) ?? []).map((value) =>
      typeof value === "string" ? value : value.toString("utf8")
    );
  }

  /** The first value as text; undefined if there is none, or the name is "". */
  text(name: string): string | undefined {
    return this.texts(name)[0];
  }

  /** The first value's octets. */
  octets(name: string): Buffer | undefined {
    const [value] = this.#values.get(name.toLowerCase()) ?? [];
    return typeof value === "string" ? Buffer.from(value, "utf8") : value;
  }
}
