/** The socket at which a server lends mailboxes, and how it comes back. */

import { ok, strictEqual } from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Housekeeping } from "../../../src/cli/daily/housekeeping.ts";
import type { Settings } from "../../../src/settings.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-housekeeping-`);
after(() => rmSync(folder, { recursive: true }));

function start(stateFolder: string): Promise<Housekeeping> {
  const settings = { stateFolder, retentionTime: "", retentions: [] } as Partial<Settings>;
  return Housekeeping.start(settings as Settings, () => Promise.resolve(undefined), 20);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    ok(tries < 3_000, `never: ${isSo}`);
    await sleep(10);
  }
}

test("a socket that could not be opened, or is gone, is opened by and by", async () => {
  const state = `${folder}/state`;
  const socket = `${state}/popkeep.sock`;
  writeFileSync(state, "in the place of the folder");
  const housekeeping = await start(state);
  strictEqual(existsSync(socket), false);
  rmSync(state);
  mkdirSync(state);
  await until(() => existsSync(socket));
  rmSync(socket);
  await until(() => existsSync(socket));
  rmSync(state, { recursive: true });
  await until(() => existsSync(socket));
  const second = await start(state);
  ok(existsSync(`${state}/popkeep-2.sock`));
  await sleep(100);
  housekeeping.close();
  ok(existsSync(`${state}/popkeep-2.sock`));
  second.close();
  await sleep(100);
  rmdirSync(state);
});
