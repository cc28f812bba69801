/**
 * Counts what this room asks of the disk, by kind, since the start: tests hold it against the design, so that
 * one that makes more of it fails, whatever the machine's speed.
 */

export const diskWork = {
  /** Looks at a folder or at the list of unique-ids, to see whether it changed. */
  looks: 0,
  /** Readings of a folder. */
  listings: 0,
  /** Looks at a message's file for its size. */
  fileLooks: 0,
  /** Openings of the list of unique-ids, to read or to write it. */
  listOpens: 0,
  /** Times the lock was taken. */
  locks: 0,
  /** Times something was written through to the disk. */
  syncs: 0,
};
