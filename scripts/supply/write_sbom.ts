/**
 * Writes the bill of materials of an executable: `bun write_sbom.ts EXECUTABLE METAFILE OUTPUT`
 *
 * The packages come from the build's own list of inputs, by CycloneDX's tool for Bun; this adds what that
 * cannot see: the executable's digest, those of the packages' tarballs, the runtime and its parts. The same
 * build gives the same octets: there is no time and no chance in them.
 * *Knows* CycloneDX 1.6. *Does not know* how the executable is built.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import process from "node:process";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { type LockedPackage, PROJECT, readLockFile } from "./lock_file.ts";
import { type RuntimePart, runtimeParts } from "./runtime_parts.ts";

interface Component {
  "type": string;
  "bom-ref": string;
  "group"?: string;
  "name": string;
  "version"?: string;
  "purl"?: string;
  "licenses"?: unknown[];
  "hashes"?: unknown[];
  "externalReferences"?: unknown[];
  "components"?: Component[];
}

interface Bill {
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

const TOOL = `${PROJECT}node_modules/@cyclonedx/cyclonedx-esbuild/bin/cyclonedx-esbuild-cli.js`;

/** What the tool sees: popkeep and the packages whose files went into the build. */
function billOfPackages(metafile: string): Bill {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [TOOL, "--output-reproducible", "--spec-version=1.6", "--no-validate", metafile],
    { cwd: PROJECT, encoding: "utf8", maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`The bill of the packages cannot be made: ${stderr}`);
  return JSON.parse(stdout) as Bill;
}

/** Adds where the package's tarball is and its digest, by which npm has checked it. */
function addTarball(component: Component, locked: readonly LockedPackage[]): void {
  const { group, version } = component;
  const name = group === undefined ? component.name : `${group}/${component.name}`;
  const found = locked.find((one) => one.name === name && one.version === version);
  if (found === undefined) throw new Error(`${name} ${version} is not in package-lock.json`);
  component.externalReferences = [...component.externalReferences ?? [], tarball(found)];
}

function tarball({ name, version, integrity }: LockedPackage): unknown {
  // The package's name in any registry: whoever has a mirror of his own has the same tarball there.
  const url = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const digest = /^sha512-(.+)$/.exec(integrity ?? "")?.[1];
  if (digest === undefined) throw new Error(`package-lock.json has no digest of ${name}`);
  const content = Buffer.from(digest, "base64").toString("hex");
  return { type: "distribution", url, hashes: [{ alg: "SHA-512", content }] };
}

function runtimeComponent(locked: readonly LockedPackage[]): Component {
  const version = process.versions["bun"]!;
  return {
    "type": "platform",
    "bom-ref": `bun@${version}`,
    "name": "bun",
    version,
    "licenses": [{ license: { id: "MIT" } }],
    "purl": `pkg:npm/bun@${version}`,
    "externalReferences": [
      ...runtimeTarball(locked, version),
      { type: "license", url: `https://github.com/oven-sh/bun/blob/bun-v${version}/LICENSE.md` },
    ],
    "components": runtimeParts().map(partComponent),
  };
}

/**
 * The tarball that the runtime came in: npm installs the one package that is for this machine. Nothing for a
 * runtime that somebody has built himself.
 */
function runtimeTarball(locked: readonly LockedPackage[], version: string): unknown[] {
  if (!realpathSync(process.execPath).startsWith(`${PROJECT}node_modules/`)) return [];
  const [binary, ...others] = readdirSync(`${PROJECT}node_modules/@oven`);
  const found = locked.find(({ name }) => name === `@oven/${binary}`);
  if (found?.version !== version || others.length > 0) {
    throw new Error(`It cannot be told which package of @oven/ Bun ${version} came in`);
  }
  return [tarball(found)];
}

function partComponent({ name, version, licence, repository }: RuntimePart): Component {
  return {
    "type": "library",
    "bom-ref": `bun/${name}`,
    name,
    ...(version !== undefined && { version, purl: `pkg:github/${repository}@${version}` }),
    "licenses": [{ license: { name: licence } }],
    "externalReferences": [{ type: "vcs", url: `https://github.com/${repository}` }],
  };
}

async function main(executable: string, metafile: string, output: string): Promise<void> {
  const bill = billOfPackages(metafile);
  const locked = readLockFile();
  for (const component of bill.components) addTarball(component, locked);
  const runtime = runtimeComponent(locked);
  bill.components.push(runtime);
  const popkeep = bill.metadata.component;
  const content = createHash("sha256").update(readFileSync(executable)).digest("hex");
  popkeep.hashes = [{ alg: "SHA-256", content }];
  const needs = bill.dependencies.find(({ ref }) => ref === popkeep["bom-ref"])!;
  needs.dependsOn = [...needs.dependsOn ?? [], runtime["bom-ref"]].sort();
  bill.dependencies.push({ ref: runtime["bom-ref"] });
  const text = `${JSON.stringify(bill, null, 2)}\n`;
  const faults = await new JsonStrictValidator(Version.v1dot6).validate(text);
  if (faults !== null) throw new Error(`The bill is not CycloneDX: ${JSON.stringify(faults)}`);
  writeFileSync(output, text);
}

const [executable, metafile, output] = process.argv.slice(2);
if (output === undefined) throw new Error("write_sbom.ts needs EXECUTABLE METAFILE OUTPUT");
await main(executable!, metafile!, output);
