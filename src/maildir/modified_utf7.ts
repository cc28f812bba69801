/**
 * Modified UTF-7 (RFC 3501 §5.1.3), the names of Maildir++ folders on disk: printable ASCII stands for
 * itself, but `&` is `&-`; all else is UTF-16 in base64 between `&` and `-`, with `,` for `/`. Pure.
 */

import { Buffer } from "node:buffer";

export function encodeModifiedUtf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const utf16 = Buffer.from(run, "utf16le").swap16();
    return `&${utf16.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}

/** Undefined for what `encodeModifiedUtf7` never writes. */
export function decodeModifiedUtf7(octets: string): string | undefined {
  const name = octets.replace(/&([A-Za-z0-9+,]*)-/g, (_, run: string) => {
    if (run === "") return "&";
    const utf16 = Buffer.from(run.replaceAll(",", "/"), "base64");
    return utf16.length % 2 === 0 ? utf16.swap16().toString("utf16le") : "";
  });
  return encodeModifiedUtf7(name) === octets ? name : undefined;
}
