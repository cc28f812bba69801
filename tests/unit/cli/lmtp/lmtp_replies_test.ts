import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { ExitCode } from "../../../../src/cli/exit_codes.ts";
import { Failure } from "../../../../src/cli/failure.ts";
import { deliveryReply, recipientReply } from "../../../../src/cli/lmtp/lmtp_replies.ts";
import { OverQuota } from "../../../../src/delivery/mailbox_quota.ts";
import { MessageTooLong } from "../../../../src/delivery/message_delivery.ts";
import { DiskTimeout, storageFailure } from "../../../../src/maildir/disk.ts";

function errno(code: string): Error {
  return storageFailure("write", Object.assign(new Error(code), { code }));
}

function codes({ code, status }: { readonly code: number; readonly status: string }): string {
  return `${code} ${status}`;
}

test("only what is sure to be nobody is refused for good", () => {
  deepStrictEqual(codes(recipientReply(new Failure(ExitCode.noUser, "x"))), "550 5.1.1");
  const others = Object.values(ExitCode).filter((code) => code !== ExitCode.noUser && code !== 0);
  for (const code of others) {
    deepStrictEqual(codes(recipientReply(new Failure(code, "x"))), "451 4.3.0");
  }
  for (const error of [errno("EACCES"), new Error("x"), "x"]) {
    deepStrictEqual(codes(recipientReply(error)), "451 4.3.0");
  }
});

test("a mailbox that has room for shorter messages is not called full, and no figures are told", () => {
  for (const [isFinal, code] of [[true, "552 5.2.2"], [false, "452 4.2.2"]] as const) {
    const reply = deliveryReply(new OverQuota("17 of 100 octets are used", isFinal));
    deepStrictEqual(
      [codes(reply), reply.text],
      [code, "there is no room for it in the mailbox's quota"],
    );
  }
});

test("only the message's own fault gives it back", () => {
  deepStrictEqual(codes(deliveryReply(new MessageTooLong("x"))), "552 5.3.4");
  deepStrictEqual(codes(deliveryReply(errno("ENOSPC"))), "452 4.3.1");
  deepStrictEqual(codes(deliveryReply(errno("EDQUOT"))), "452 4.2.2");
  for (
    const error of [
      errno("EACCES"),
      errno("EROFS"),
      errno("EIO"),
      new DiskTimeout("x"),
      new Error("x"),
    ]
  ) {
    deepStrictEqual(codes(deliveryReply(error)), "451 4.3.0");
  }
});
