/**
 * Where a thread's source file is.
 *
 * Run from sources, it lies beside the file that starts it. In an executable made by
 * `bun build --compile` all modules of the program are one file at the root of a virtual disk, so
 * `import.meta.url` no longer tells a folder; the thread's file, named as a further entry point, keeps
 * its path from the project's root.
 */

/** Virtual disks of Bun's executables, on Unix and on Windows. */
const BUN_DISKS = ["/$bunfs/", "/~BUN/"];

/**
 * The address to give to `new Worker`.
 *
 * @param fromRoot Path from the project's root, such as "src/auth/hash_worker.ts".
 * @param moduleUrl `import.meta.url` of the file that starts it, which lies in the same folder.
 */
export function workerLocation(fromRoot: string, moduleUrl: string): URL {
  const compiled = BUN_DISKS.some((disk) => moduleUrl.includes(disk));
  const name = fromRoot.slice(fromRoot.lastIndexOf("/") + 1);
  return new URL(compiled ? `./${fromRoot}` : `./${name}`, moduleUrl);
}
