/** What RFC 3206, the SYS and AUTH response codes, asks of a server, in our words. */

import type { Document } from "./statement.ts";

export const RFC3206: Document = {
  title: "RFC 3206: the SYS and AUTH response codes",
  note: "Announced by AUTH-RESP-CODE.",
  statements: [
    {
      id: "RFC3206-4-SYS-TEMP",
      asks: "SYS/TEMP: a failure of the system that may mend by itself.",
      does: "Storage or user directory out of reach, too many connections, shutdown.",
    },
    {
      id: "RFC3206-4-SYS-PERM",
      asks: "SYS/PERM: a failure that somebody has to mend.",
      does:
        "A mailbox or message that may not be read, a mailbox that is none, an account that is " +
        "disabled, a client that has sent too many bad commands.",
    },
    {
      id: "RFC3206-5-CAPA",
      asks: "AUTH-RESP-CODE is listed by CAPA.",
      does: "It is, in both states.",
    },
    {
      id: "RFC3206-6-AUTH",
      asks: "AUTH: the credentials are wrong.",
      does: "On every failed login that is the credentials' fault, and on no other.",
    },
    {
      id: "RFC3206-6-USER",
      asks: "USER should not be answered with AUTH, which would tell who exists.",
      does: "It never is.",
    },
  ],
};
