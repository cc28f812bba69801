/** `popkeep version`, and the version for whoever else names it. */

import process from "node:process";
import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { withExample } from "./example.ts";
import { print } from "./output.ts";

/** popkeep's version, such as "0.1.0". */
export const VERSION: string = manifest.version;

export function versionCommand(): Command {
  const command = new Command("version")
    .description("print the version, the runtime and the platform")
    .action(() => print(versionText()));
  return withExample(command, "popkeep version");
}

/** The version with what a report of a fault should name. */
export function versionText(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  const runtime = bun !== undefined
    ? `Bun ${bun}`
    : deno !== undefined
    ? `Deno ${deno}`
    : `Node ${node}`;
  return `popkeep ${VERSION} (${runtime}, ${process.platform} ${process.arch})\n`;
}
