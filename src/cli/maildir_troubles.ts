/**
 * What the server could not do in a Maildir that it can list: give unique-ids, remove messages, read
 * them. All of it leaves a server that answers and mail that does not come.
 *
 * *Knows*: Maildir, permissions of this process. *Does not know*: users.
 */

import { access, constants } from "node:fs/promises";
import process from "node:process";
import { type DiskPath, eachOf, errnoOf, isMissing, pathIn } from "../maildir/disk.ts";
import type { ListedMessage } from "../maildir/list_messages.ts";
import { SIDECAR_NAME } from "../maildir/sidecar.ts";

/** Message files looked at together. */
const WIDTH = 16;

/** The troubles of the Maildir at `path`, a clause each. Changes nothing. */
export async function troublesOf(
  path: string,
  messages: readonly ListedMessage[],
): Promise<string[]> {
  const { R_OK, W_OK, X_OK } = constants;
  const troubles: string[] = [];
  const list = `${path}/${SIDECAR_NAME}`;
  const unwritten = await refusal(path, W_OK | X_OK) ??
    await refusal(list, R_OK | W_OK);
  if (unwritten !== undefined) {
    const without = messages.filter(({ uniqueId }) => uniqueId === undefined).length;
    const hidden = without === 0 ? "" : `, beginning with the ${without} that have none yet`;
    troubles.push(
      `${unwritten}: the server could give no unique-ids, and no session would see new mail${hidden}`,
    );
  }
  for (const folder of [`${path}/new`, `${path}/cur`]) {
    const fixed = await refusal(folder, W_OK | X_OK);
    if (fixed !== undefined) {
      troubles.push(`${fixed}: the server could not remove what clients delete there`);
    }
  }
  const unreadable = await unreadableOf(path, messages);
  const [first] = unreadable;
  if (first !== undefined) {
    const others = unreadable.length === 1 ? "" : ` and ${unreadable.length - 1} more`;
    troubles.push(
      `${path}/${first.folder}/${first.fileName}${others} may not be read by ${whoWeAre()}: ` +
        "the server would list them and answer RETR with -ERR",
    );
  }
  return troubles;
}

async function unreadableOf(path: string, messages: readonly ListedMessage[]) {
  const unreadable = new Set<ListedMessage>();
  await eachOf(messages, WIDTH, async (message) => {
    const file = pathIn(`${path}/${message.folder}`, message.fileName);
    if (await refused(file, constants.R_OK) !== undefined) unreadable.add(message);
  });
  return messages.filter((message) => unreadable.has(message));
}

/** Why this process may not write there, as a clause; undefined if it may, or nothing is there. */
async function refusal(path: string, mode: number): Promise<string | undefined> {
  const error = await refused(path, mode);
  if (error === undefined) return undefined;
  return errnoOf(error) === "EROFS"
    ? `${path} is on a file system that is read-only`
    : `${path} may not be written by ${whoWeAre()}`;
}

/** What access(2) says; undefined if it allows it, or nothing is there. */
async function refused(path: DiskPath, mode: number): Promise<unknown> {
  try {
    await access(path as string, mode);
    return undefined;
  } catch (error) {
    return isMissing(error) ? undefined : error;
  }
}

/** Rights differ by user: the one that the server runs as counts. */
function whoWeAre(): string {
  const uid = process.geteuid?.();
  return uid === undefined ? "this user" : `this user (uid ${uid})`;
}
