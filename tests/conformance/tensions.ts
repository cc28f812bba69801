/** Where documents, or documents and clients, pull apart: each decided, with its reason. */

import type { Document } from "./statement.ts";

export const TENSIONS: Document = {
  title: "Where they pull apart",
  note: "Questions that the documents answer in two ways, or clients in a third.",
  statements: [
    {
      id: "TENSION-SASL-LINES",
      asks: "Commands are at most 512 octets (E0006), but tokens of mechanisms are longer.",
      does: "The limit of commands is for commands; responses within AUTH have their own, 12,288 " +
        "octets of base64 (RFC 5034 §4 exempts them), and 64 KiB before base64 for Kerberos tickets.",
    },
    {
      id: "TENSION-AUTH-LINE",
      asks:
        "RFC 5034 holds the AUTH line with an initial response to 255 octets; clients send more.",
      does: "It may be as long as a response within AUTH: clients send whole tokens there.",
    },
    {
      id: "TENSION-COMMAND-FLOOR",
      asks: "`max_command_size` may be 40 (E0006), but CAPA asks for 255 (RFC 2449 §4).",
      does: "The value is taken, and warned about at start.",
    },
    {
      id: "TENSION-TOO-LONG",
      asks: "Exchange closes the connection on a line that is too long.",
      does:
        "One `-ERR`; its tail is thrown away unread, and the session goes on. It counts as a bad " +
        "command, of which too many close.",
    },
    {
      id: "TENSION-USER-TLS",
      asks: "USER is never refused (V0008), but refused where plaintext is not allowed (V0010).",
      does: "Refused by connection and `login_type`, never by name.",
    },
    {
      id: "TENSION-FAREWELL",
      asks: "At autologout RFC 1939 wants silence, V0003 a line.",
      does: "A line.",
    },
    {
      id: "TENSION-TIMER",
      asks:
        "RFC 1939 wants ten minutes, V0002 has 60 s before login; and a long download sends no " +
        "command.",
      does: "60 s before login. Octets that the client takes count as activity.",
      also: ["end_to_end/timeouts_test.ts: a client that reads slowly is not idle"],
    },
    {
      id: "TENSION-SIZES",
      asks: "Sizes are those in storage (2.1.5), but RFC 1939 and some clients want exact ones.",
      does: "Storage by default, exact by `enable_exact_rfc822_size`; LIST, STAT and RETR always " +
        "agree with each other.",
    },
    {
      id: "TENSION-CARRIED-IDS",
      asks: "Old unique-ids stay for carried-over mail while new ones are decimal (C0009).",
      does:
        "A carried id stands beside the message's own, and is the one that clients see; new ids " +
        "are of 16 digits and more, which no known server's counter has reached.",
    },
    {
      id: "TENSION-PIPELINING",
      asks: "Exchange does not announce PIPELINING; clients pipeline only if it is announced.",
      does: "Announced.",
    },
    {
      id: "TENSION-RESPONSE-LINES",
      asks: "Responses are at most 512 characters (C0001); message lines have no limit.",
      does: "Texts of ours are clipped, message lines pass unbroken, whatever their length.",
    },
    {
      id: "TENSION-EIGHT-BIT",
      asks: "RFC 6856 forbids to send 8-bit headers to clients that have not said UTF8.",
      does: "They are sent as they are, unless the settings say otherwise (RFC6856-2.1-EIGHT-BIT).",
    },
    {
      id: "TENSION-FIRST-DOT",
      asks:
        "The first octet of a message has no line end before it, and other servers do not stuff " +
        "it; clients end the message there.",
      does: "It is stuffed like any other first octet of a line.",
    },
    {
      id: "TENSION-CHALLENGE",
      asks:
        "An empty challenge is `+ ` (RFC 5034), `+OK` in [MS-POP3]; some clients take `+OK` for " +
        "a refusal.",
      does: "`+ `, with its space, which all clients take.",
    },
    {
      id: "TENSION-ORDER",
      asks: "Clients look for new mail at the end by halves; Exchange can sort either way.",
      does: "Ascending by default, `message_retrieval_sort_order` turns it.",
    },
  ],
};
