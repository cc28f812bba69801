/** Which symbolic links on the way to a mailbox are followed. */

import { doesNotReject, rejects } from "node:assert/strict";
import { lchownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { refuseForeignLinks } from "../../../src/maildir/followed_links.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { mayMakeAccounts } from "../../support/system_account.ts";

const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-links-`));
after(() => rmSync(folder, { recursive: true }));

const skip = mayMakeAccounts ? false : "takes root, to make files of other users";

const EVE = 54_321;
const BOB = 54_322;
const ROOT = 0;

function made(path: string, owner: number): string {
  mkdirSync(`${folder}/${path}`, { recursive: true });
  lchownSync(`${folder}/${path}`, owner, owner);
  return `${folder}/${path}`;
}

function linked(path: string, target: string, owner: number): string {
  symlinkSync(target, `${folder}/${path}`);
  lchownSync(`${folder}/${path}`, owner, owner);
  return `${folder}/${path}`;
}

const look = (path: string) => refuseForeignLinks(new MailboxDisk(path), path);
const follows = (path: string) => doesNotReject(look(path));
const refuses = (path: string) => rejects(look(path), /made to what is another's|too many links/);

test("a path without links is left alone, be it there or not", async () => {
  await follows(made("plain/cur", ROOT));
  await follows(`${folder}/plain/none/cur`);
});

test(
  "links of root and of our own user are followed, absolute and relative ones",
  { skip },
  async () => {
    made("disk/bob/cur", BOB);
    linked("by-root", `${folder}/disk/bob`, ROOT);
    linked("relative", "./plain/../disk/bob", ROOT);
    await follows(`${folder}/by-root/cur`);
    await follows(`${folder}/relative/cur`);
  },
);

test("another user's link is followed to what is his own alone", { skip }, async () => {
  made("disk/eve", EVE);
  made("disk/eve/cur", EVE);
  made("disk/bob", BOB);
  linked("eves", `${folder}/disk/eve`, EVE);
  linked("bobs", `${folder}/disk/bob`, EVE);
  linked("roots", `${folder}/plain`, EVE);
  linked("nowhere", `${folder}/none`, EVE);
  await follows(`${folder}/eves/cur`);
  await refuses(`${folder}/bobs/cur`);
  await refuses(`${folder}/roots/cur`);
  await follows(`${folder}/nowhere/cur`);
});

test("a link behind a link is looked at as well", { skip }, async () => {
  linked("step", "bobs", ROOT);
  await refuses(`${folder}/step/cur`);
  linked("own-step", "eves", EVE);
  await follows(`${folder}/own-step/cur`);
});

test("the last part of the path may be the link", { skip }, async () => {
  made("eve-home", EVE);
  linked("eve-home/cur", "../disk/bob", EVE);
  await refuses(`${folder}/eve-home/cur`);
});

test("links in a circle end", { skip }, async () => {
  linked("one", "two", ROOT);
  linked("two", "one", ROOT);
  await rejects(look(`${folder}/one/cur`));
});
