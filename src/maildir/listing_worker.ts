/**
 * The thread that lists large folders for listing_thread.ts: each message asks for one piece, in memory that
 * comes with it and goes back with the answer.
 *
 * *Knows* how a folder is read. *Does not know* what the names are of.
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { type FolderRecords, folderRecordsOpener } from "../platform/folder_records.ts";

/** Asks for the next piece of a listing, or ends it where there is no memory for one. */
export interface ListingRequest {
  /** The number of the listing: a new one begins at the folder's first name. */
  readonly listing: number;
  readonly path: string;
  readonly memory: ArrayBuffer | undefined;
}

export interface ListingAnswer {
  readonly memory: ArrayBuffer;
  /**
   * Octets of records (folder_records.ts) in the memory, 0 at the end. "failed" when it could not be read,
   * "missing" when the system has no functions for it.
   */
  readonly octets: number | "failed" | "missing";
}

if (parentPort === null) process.exit(1);
const port = parentPort;

const openFolder = folderRecordsOpener();

/** The listing that is going on, or was last. */
let listing = 0;
let folder: FolderRecords | undefined;
/** What is answered when there is no folder open. */
let ended: ListingAnswer["octets"] = 0;

port.on("message", (request: ListingRequest) => {
  if (request.listing !== listing) begin(request);
  const { memory } = request;
  if (memory === undefined) return end(0);
  const octets = read(memory);
  port.postMessage({ memory, octets } satisfies ListingAnswer, [memory]);
});

function begin(request: ListingRequest): void {
  end("failed");
  listing = request.listing;
  if (openFolder === undefined) ended = "missing";
  else folder = openFolder(request.path);
}

function read(memory: ArrayBuffer): ListingAnswer["octets"] {
  if (folder === undefined) return ended;
  const octets = folder.read(new Uint8Array(memory));
  if (octets === undefined) end("failed");
  else if (octets === 0) end(0);
  return octets ?? ended;
}

function end(as: ListingAnswer["octets"]): void {
  folder?.close();
  folder = undefined;
  ended = as;
}
