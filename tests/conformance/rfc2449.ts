/** What RFC 2449, the extension mechanism, asks of a server, in our words. */

import type { Document } from "./statement.ts";

export const RFC2449: Document = {
  title: "RFC 2449: POP3 extension mechanism",
  note: "Commands, responses, CAPA and its first capabilities.",
  statements: [
    {
      id: "RFC2449-3-GRAMMAR",
      asks: "Responses follow the grammar: printable text, `[` only where a response code begins.",
      does: "Every octet sent in any test passes a check of it.",
      also: ["unit/support/reply_grammar_test.ts: the reply grammar refuses ${what}"],
    },
    {
      id: "RFC2449-4-LENGTH",
      asks: "With CAPA, commands of 255 octets are taken.",
      does: "512 by default, up to 1,024; an operator may choose less (E0007), with a warning.",
    },
    {
      id: "RFC2449-5-CAPA-1",
      asks: "CAPA is there in both states.",
      does: "With the same answer in both: what works on this connection now.",
    },
    {
      id: "RFC2449-5-CAPA-2",
      asks: "CAPA is a multi-line response of capability lines.",
      does: "One capability a line.",
    },
    { id: "RFC2449-5-CAPA-3", asks: "CAPA has no arguments.", does: "Others are refused." },
    { id: "RFC2449-6.1-TOP", asks: "TOP says that TOP is there.", does: "It is." },
    {
      id: "RFC2449-6.2-USER",
      asks: "USER says that USER and PASS are there.",
      does: "Listed where `login_type` allows them on this connection.",
    },
    {
      id: "RFC2449-6.4-RESP-CODES",
      asks: "RESP-CODES says that text in brackets is a response code.",
      does: "It always is.",
    },
    {
      id: "RFC2449-6.5-LOGIN-DELAY",
      asks: "LOGIN-DELAY tells the least time between logins, if there is one.",
      does: "There is none, and it is not listed.",
      standing: "does not apply",
    },
    {
      id: "RFC2449-6.6-PIPELINING",
      asks: "With PIPELINING, several commands may be sent at once.",
      does: "At any time, before login too; every dialogue of the tests is also played so.",
    },
    {
      id: "RFC2449-6.7-EXPIRE",
      asks: "EXPIRE tells when the server removes mail by itself.",
      does:
        "`NEVER`, or the days after which mail may go; before login the fewest of any user, with `USER` where " +
        "they differ, after it the user's own.",
    },
    { id: "RFC2449-6.8-UIDL", asks: "UIDL says that UIDL is there.", does: "It is." },
    {
      id: "RFC2449-6.9-IMPLEMENTATION",
      asks: "IMPLEMENTATION names the server.",
      does: "`popkeep` and its version.",
    },
    {
      id: "RFC2449-8-CODES",
      asks: "A response code stands at the beginning of the text, in brackets.",
      does: "Only on `-ERR`, and only codes that a document defines.",
    },
    {
      id: "RFC2449-8.1.2-IN-USE",
      asks: "IN-USE says that the maildrop is in use.",
      does: "It never is: there is no lock (2.1.3).",
      standing: "does not apply",
    },
  ],
};
