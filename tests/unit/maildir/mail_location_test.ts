import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { isLocationFault, mailboxPath, mailLocation } from "../../../src/maildir/location.ts";

const TEMPLATE = "/srv/mail/{user}";

function located(extra: Record<string, string>, user = "al@ex.org", home?: string) {
  return mailLocation(TEMPLATE, { user, extra, ...home === undefined ? {} : { home } });
}

function inboxOf(mail: string, user?: string, home = "/home/al"): string | undefined {
  const found = located({ mail }, user, home);
  return isLocationFault(found) ? undefined : found.inbox;
}

function faultOf(mail: string, user?: string, home = "/home/al"): string {
  const found = located({ mail }, user, home);
  return isLocationFault(found) ? found.fault : "none";
}

test("without a location of its own an account has the place that the settings give", () => {
  strictEqual(mailboxPath(TEMPLATE, { user: "al", extra: {} }), "/srv/mail/al");
  strictEqual(mailboxPath(TEMPLATE, { user: "al", extra: { mail: "" } }), "/srv/mail/al");
});

test("the entry's location goes before the settings, in all the ways that Dovecot writes it", () => {
  const paths: readonly [mail: string, path: string][] = [
    ["maildir:/var/vmail/al", "/var/vmail/al"],
    ["/var/vmail/al/", "/var/vmail/al"],
    ["maildir:~/Maildir", "/home/al/Maildir"],
    ["~/Maildir", "/home/al/Maildir"],
    ["maildir:~", "/home/al"],
    ["maildir:%h/M", "/home/al/M"],
    ["maildir:%{home}/M", "/home/al/M"],
    ["maildir:/v/%d/%n", "/v/ex.org/al"],
    ["maildir:/v/%u", "/v/al@ex.org"],
    ["maildir:/v/%Ud/%{username}@%{domain}/100%%", "/v/EX.ORG/al@ex.org/100%"],
    ["maildir:~/M:INBOX=~/I:LAYOUT=fs", "/home/al/I"],
    ["maildir:~/M:INDEX=/var/%Ln:CONTROL=MEMORY:VOLATILEDIR=/x", "/home/al/M"],
  ];
  for (const [mail, path] of paths) strictEqual(inboxOf(mail), path, mail);
});

test("folders, their layout and the encoding of their names come from the location's options", () => {
  deepStrictEqual(located({ mail: "maildir:/v/%n/M:LAYOUT=fs:UTF-8:INBOX=/v/%n/I" }), {
    inbox: "/v/al/I",
    folders: "/v/al/M",
    layout: "fs",
    utf8Names: true,
    root: "/v",
  });
  const plain = located({ mail: "~/M:LAYOUT=Maildir++" }, "al", "/home/al");
  deepStrictEqual(plain, {
    inbox: "/home/al/M",
    folders: "/home/al/M",
    layout: "maildir++",
    utf8Names: false,
    root: "/home",
  });
});

test("the fields of Dovecot 2.4 say the same", () => {
  const fields = {
    mail_driver: "maildir",
    mail_path: "%{home}/M",
    mail_inbox_path: "~/I",
    mailbox_list_layout: "fs",
  };
  const found = located(fields, "al", "/home/al");
  ok(!isLocationFault(found));
  deepStrictEqual([found.inbox, found.folders, found.layout], ["/home/al/I", "/home/al/M", "fs"]);
  const other = located({ ...fields, mail_driver: "sdbox" }, "al", "/home/al");
  ok(isLocationFault(other) && other.fault.includes("sdbox"));
});

test("another format is refused by its name", () => {
  for (const format of ["mbox", "sdbox", "mdbox", "dbox", "imapc"]) {
    match(faultOf(`${format}:~/mail`), new RegExp(`the format ${format}, and only maildir`));
  }
});

test("what is no plain absolute path is refused", () => {
  for (
    const mail of [
      "maildir:",
      "maildir:mail/al",
      "maildir:/",
      "maildir:/v/../etc",
      "maildir:~/../bob",
      "maildir:~bob/Maildir",
      "maildir:/v/a\0b",
      "maildir:/v/a\nb",
      `maildir:/v/${"x".repeat(256)}`,
      "maildir:/v/%x",
      "maildir:/v/%{env:HOME}",
      "maildir:~/M:INBOX=I",
      "maildir:~/M:INBOX=",
      "maildir:~/M:INBOX=~/../bob",
    ]
  ) match(faultOf(mail), /no plain absolute path/, mail);
});

test("options that would move messages elsewhere are refused, not ignored", () => {
  for (const option of ["DIRNAME=x", "MAILBOXDIR=x", "FULLDIRNAME=x", "LAYOUT=index", "LAYOUT="]) {
    ok(inboxOf(`maildir:~/M:${option}`) === undefined, option);
  }
});

test("a home that is missing or odd gives no path that begins there", () => {
  ok(isLocationFault(located({ mail: "maildir:~/M" })));
  ok(isLocationFault(located({ mail: "maildir:%h/M" })));
  strictEqual(inboxOf("maildir:~/M", "al", "relative"), undefined);
  strictEqual(inboxOf("maildir:%h/M", "al", "/home/../etc"), undefined);
});

test("a name never leads out of the folder that the location means", () => {
  const unsafe: readonly [variable: string, users: readonly string[]][] = [
    ["%u", ["../etc", "a/b", ".hidden", "a\x7fb"]],
    ["%n", ["../etc", "a/b@x", ".hidden@x", "@ex.org"]],
    ["%d", ["al@..", "al@../x", "al@.x", "al@a/b", "al@", "al"]],
  ];
  for (const [variable, users] of unsafe) {
    for (const user of users) {
      strictEqual(inboxOf(`maildir:/v/x${variable}`, user), undefined, `${variable} ${user}`);
      strictEqual(inboxOf(`maildir:/v:INBOX=/v/${variable}`, user), undefined, `INBOX ${user}`);
    }
  }
  strictEqual(inboxOf("maildir:/v/%n", "al@.."), "/v/al");
  strictEqual(inboxOf("maildir:/v/%n", "100%h"), "/v/100%h");
});

test("what has to be there before any mail is, is what stands before the first variable", () => {
  const roots: readonly [mail: string, root: string][] = [
    ["maildir:/var/vmail/%d/%n", "/var/vmail"],
    ["maildir:/var/vmail/x%n", "/var/vmail"],
    ["maildir:/var/vmail/al", "/var/vmail"],
    ["maildir:/var/vmail/al/", "/var/vmail"],
    ["maildir:~/M", "/home"],
    ["maildir:%h/M", "/home"],
    ["maildir:/al", "/"],
  ];
  for (const [mail, root] of roots) {
    const found = located({ mail }, "al@ex.org", "/home/al");
    ok(!isLocationFault(found), mail);
    strictEqual(found.root, root, mail);
  }
});
