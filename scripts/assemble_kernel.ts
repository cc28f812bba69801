/**
 * Makes src/octet_kernel/kernel_module.ts of octet_kernel.wat: `bun scripts/assemble_kernel.ts`, after every
 * change of it. The result is kept in the tree, so that nobody else needs the assembler, the package wabt.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const SOURCE = new URL("../src/octet_kernel/octet_kernel.wat", import.meta.url);
const RESULT = new URL("../src/octet_kernel/kernel_module.ts", import.meta.url);

/** What is asked of the package; named by a variable, since it need not be installed. */
interface Wabt {
  parseWat(name: string, text: string, features: { simd: boolean }): {
    validate(): void;
    toBinary(options: object): { buffer: Uint8Array };
  };
}
const PACKAGE: string = "wabt";

/** The text of kernel_module.ts; undefined where the assembler is not installed. */
export async function assembledText(): Promise<string | undefined> {
  const wat = readFileSync(SOURCE, "utf8");
  const found: { default: () => Promise<Wabt> } | undefined = await import(PACKAGE)
    .catch(() => undefined);
  if (found === undefined) return undefined;
  const wabt = await found.default();
  const parsed = wabt.parseWat("octet_kernel.wat", wat, { simd: true });
  parsed.validate();
  const base64 = Buffer.from(parsed.toBinary({}).buffer).toString("base64");
  const lines = base64.match(/.{1,88}/g)!.map((line) => `"${line}"`);
  return `/** octet_kernel.wat as a WebAssembly module. Made by scripts/assemble_kernel.ts: change that text. */

/** SHA-256 of the text that it was made of. */
export const SOURCE_SHA256 = "${createHash("sha256").update(wat).digest("hex")}";

export const MODULE_BASE64 =
  ${lines.join(" +\n  ")};
`;
}

/** The text of kernel_module.ts as it is kept in the tree. */
export function keptText(): string {
  return readFileSync(RESULT, "utf8");
}

/** SHA-256 of octet_kernel.wat as it is. */
export function sourceSha256(): string {
  return createHash("sha256").update(readFileSync(SOURCE)).digest("hex");
}

if (import.meta.main) {
  const text = await assembledText();
  if (text === undefined) throw new Error(`The package "${PACKAGE}" is not installed`);
  writeFileSync(RESULT, text);
}
