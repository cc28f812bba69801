/** `popkeep version`, and the version for whoever else names it. */

import process from "node:process";
import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { withExample } from "./example.ts";
import { licencesText } from "./licences.ts";
import { print } from "./output.ts";

/** popkeep's version, such as "0.1.0". */
export const VERSION: string = manifest.version;

export function versionCommand(): Command {
  const command = new Command("version")
    .description("print the version, the runtime and the platform")
    .option("--licenses", "print the licences of what is in popkeep, and their texts")
    .action(async ({ licenses }: { licenses?: true }) =>
      print(licenses === true ? await licencesText() : versionText())
    );
  return withExample(command, "popkeep version", "popkeep version --licenses");
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
