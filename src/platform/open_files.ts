/** How many files a process may have open: a connection is one, and so is a message being sent. */

import { readFileSync } from "node:fs";

/**
 * The limit of this process, or undefined where it is not told (Linux tells it). Bun and Deno raise it
 * as far as they may when they start.
 */
export function openFilesLimit(limits: () => string = linuxLimits): number | undefined {
  let text;
  try {
    text = limits();
  } catch {
    return undefined;
  }
  const soft = /^Max open files +(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Infinity : Number(soft);
}

function linuxLimits(): string {
  return readFileSync("/proc/self/limits", "utf8");
}
