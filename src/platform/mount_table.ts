/**
 * Which filesystem a path is on, told by the system's table of mounts and without touching the filesystem:
 * one that hangs would be waited for.
 *
 * A link on the way to the path is not seen, since to see it is to touch; `deviceOf` tells the filesystem of
 * what was looked at.
 *
 * *Knows*: mountinfo of proc(5). *Does not know*: what is waited for.
 */

import { readFileSync } from "node:fs";

export interface Mount {
  readonly path: string;
  /** The kind of filesystem, such as "ext4" or "nfs4". */
  readonly kind: string;
  /** As `deviceOf` and the looks of warm_files.ts tell it. */
  readonly device: number;
}

/** The table changes seldom, and reading it takes some 50 us. */
const AGE_MS = 5_000;

/** One number for a device, whoever tells of it. */
export function deviceNumber(major: number, minor: number): number {
  return major * 0x1_0000_0000 + minor;
}

/** The same of what `node:fs` says: Linux's `new_encode_dev`. */
export function deviceOf(dev: number): number {
  const major = dev >>> 8 & 0xfff;
  const minor = dev & 0xff | dev >>> 12 & 0xfff00;
  return deviceNumber(major, minor);
}

export class MountTable {
  readonly #read: () => string;
  #text: string | undefined;
  #readAtMs = -Infinity;
  #mounts: readonly Mount[] = [];
  #byDevice = new Map<number, Mount>();
  #generation = 0;

  constructor(read: () => string = linuxTable) {
    this.#read = read;
  }

  /** Another number whenever there are other mounts; looks into the table once in a while. */
  get generation(): number {
    this.#keepCurrent();
    return this.#generation;
  }

  /** The mount that a path is on, links apart; undefined where the system does not tell. */
  mountOf(path: string): Mount | undefined {
    this.#keepCurrent();
    let found: Mount | undefined;
    for (const mount of this.#mounts) {
      const isOn = mount.path === "/" || path === mount.path || path.startsWith(`${mount.path}/`);
      // Of two at one place the later one hides the other.
      if (isOn && (found === undefined || mount.path.length >= found.path.length)) found = mount;
    }
    return found;
  }

  /** A mount of the device; undefined for none, or for one that the table has another number of. */
  mountOfDevice(device: number): Mount | undefined {
    this.#keepCurrent();
    return this.#byDevice.get(device);
  }

  #keepCurrent(): void {
    const nowMs = performance.now();
    if (nowMs - this.#readAtMs < AGE_MS) return;
    this.#readAtMs = nowMs;
    let text: string;
    try {
      text = this.#read();
    } catch {
      text = "";
    }
    if (text === this.#text) return;
    this.#text = text;
    this.#mounts = text.split("\n").map(parsed).filter((mount) => mount !== undefined);
    this.#byDevice = new Map(this.#mounts.map((mount) => [mount.device, mount]));
    this.#generation++;
  }
}

/** The one of this process. */
export const mountTable = new MountTable();

function linuxTable(): string {
  return readFileSync("/proc/self/mountinfo", "latin1");
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`, proc(5). */
function parsed(line: string): Mount | undefined {
  const [front = "", back = ""] = line.split(" - ");
  const fields = front.split(" ");
  const [major, minor] = (fields[2] ?? "").split(":").map(Number);
  const path = fields[4];
  if (path === undefined || major === undefined || minor === undefined) return undefined;
  if (!Number.isInteger(major) || !Number.isInteger(minor)) return undefined;
  const device = deviceNumber(major, minor);
  return { path: unescaped(path), kind: back.split(" ")[0] ?? "", device };
}

/** Space, tab, line end and backslash are written in octal; the octets are UTF-8, as in our paths. */
function unescaped(field: string): string {
  const octets = field.replace(
    /\\([0-7]{3})/g,
    (_, octal) => String.fromCharCode(parseInt(octal, 8)),
  );
  return new TextDecoder().decode(Uint8Array.from(octets, (octet) => octet.charCodeAt(0)));
}
