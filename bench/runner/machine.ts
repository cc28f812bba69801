/** What the comparison ran on and with: the machine and every version, as the page tells them. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import type { Place } from "./place.ts";

/** Title and value, in the order of the page. */
export type Facts = Readonly<Record<string, string>>;

export function machineFacts(place: Place): Facts {
  const processors = os.cpus();
  return {
    "Processor": `${processors[0]?.model.trim() ?? "unknown"}, ${processors.length} cores`,
    "Virtualisation": say("systemd-detect-virt") || "unknown",
    "Memory": `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`,
    "Kernel": `${os.type()} ${os.release()}, ${os.arch()}`,
    "System": /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ??
      "unknown",
    "File system": fileSystem(place.scratch),
  };
}

export function versionFacts(place: Place): Facts {
  const packageVersion = (name: string) => say("dpkg-query", "-W", "-f", "${Version}", name);
  const unpacked = (name: string) =>
    say("sh", "-c", 'dpkg-deb -f "$1"_*.deb Version', "sh", `${place.scratch}/deb/${name}`);
  return {
    "popkeep": popkeepVersion(place),
    "Dovecot": `dovecot-pop3d ${packageVersion("dovecot-pop3d")}`,
    "Courier": `courier-pop ${unpacked("courier-pop")}`,
    "solid-pop3d": `solid-pop3d ${unpacked("solid-pop3d")}, ucspi-tcp ${
      packageVersion("ucspi-tcp")
    }`,
    "OpenSSL of the load generator": say("openssl", "version").split(" (")[0]!,
    "Compiler": say("gcc", "--version").split("\n")[0]!,
  };
}

function popkeepVersion(place: Place): string {
  const commit = say("git", "-C", place.bench, "log", "-1", "--format=%h %cs");
  const version = say(place.executable, "--version").split("\n")[0]!;
  return commit === "" ? version : `${version}, commit ${commit}`;
}

/** Its kind and how it is mounted: what a write that has to last costs depends on both. */
function fileSystem(path: string): string {
  const [kind, options] = say("findmnt", "-no", "FSTYPE,OPTIONS", "--target", path).split(/ +/);
  return kind === undefined || kind === "" ? "unknown" : `${kind} (${options})`;
}

function say(command: string, ...words: string[]): string {
  try {
    return execFileSync(command, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim();
  } catch (error) {
    // systemd-detect-virt says "none" and fails.
    return String((error as { stdout?: string }).stdout ?? "").trim();
  }
}
