/**
 * Whether the fields that every message has say what they should: From an address, Date a date (RFC 5322 §3.6.1,
 * §3.6.2). Addresses are mailparser's to tell; it is asked only where the field is not one of the plainest.
 *
 * *Knows* header fields. *Does not know* where they come from.
 */

/** Longest field that is looked into, characters. */
const FIELD_CHARACTERS = 8_192;

/** `name@example.com`, perhaps in <> behind a plain name: what nearly every message has. */
const PLAIN_FROM = /^\s*(?:(?:"[^"\\]*"|[\w .'-]+)?\s*<[\w.+=/-]+@[\w.-]+>|[\w.+=/-]+@[\w.-]+)\s*$/;

/** What is wrong with the fields that are there, a clause each. */
export async function fieldFaults(fields: ReadonlyMap<string, string>): Promise<string[]> {
  const faults: string[] = [];
  const from = fields.get("from");
  if (from !== undefined && !PLAIN_FROM.test(from) && !await hasAddress(from)) {
    faults.push("has no address in From");
  }
  const date = fields.get("date");
  if (date !== undefined && !isDate(date)) faults.push("has a Date that is none");
  return faults;
}

async function hasAddress(from: string): Promise<boolean> {
  // Loaded only when it is needed: it is the largest part of the command line.
  const { simpleParser } = await import("mailparser");
  const field = from.slice(0, FIELD_CHARACTERS);
  const { from: parsed } = await simpleParser(`From:${field}\r\n\r\n`, {
    skipHtmlToText: true,
    skipTextToHtml: true,
  });
  return parsed?.value.some(({ address, group }) =>
    /.@./.test(address ?? "") || (group?.length ?? 0) > 0
  ) ?? false;
}

/** Comments may stand anywhere, and a zone that nobody knows counts as none (§3.3, §4.3). */
function isDate(field: string): boolean {
  const text = field.slice(0, FIELD_CHARACTERS).replace(/\([^()]*\)/g, " ").trim()
    .replace(/(\d) +[A-Za-z]{1,5}$/, "$1 +0000");
  return !Number.isNaN(Date.parse(text));
}
