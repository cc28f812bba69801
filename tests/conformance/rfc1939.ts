/** What RFC 1939 asks of a server, by section and command, in our words. */

import type { Document } from "./statement.ts";

export const RFC1939: Document = {
  title: "RFC 1939: Post Office Protocol, version 3",
  note:
    "Ids name section and command. Where [MS-STANXPOP3] varies a statement, it is listed there.",
  statements: [
    {
      id: "RFC1939-3-GREETING",
      asks: "After the connection is open the server sends a one-line positive greeting.",
      does: "`+OK` and the setting `banner`.",
    },
    {
      id: "RFC1939-3-CASE",
      asks: "Keywords are case-insensitive.",
      does: "So are mechanism names and language ranges.",
    },
    {
      id: "RFC1939-3-RESPONSE",
      asks: "A response is a status indicator in upper case, text, and CRLF.",
      does: "Every octet sent in any test passes a check of this.",
      also: [
        "unit/support/reply_grammar_test.ts: the reply grammar refuses ${what}",
      ],
    },
    {
      id: "RFC1939-3-MULTILINE",
      asks:
        "Multi-line responses end with a line of one dot, and lines that begin with a dot are " +
        "stuffed.",
      does: "Also the very first octet of a message. No extra empty line stands before the end.",
    },
    {
      id: "RFC1939-3-UNRECOGNIZED",
      asks: "An unrecognised, unimplemented or malformed command is answered negatively.",
      does: "One `-ERR` a line, whatever its octets. Too many of them close (C0005).",
    },
    {
      id: "RFC1939-3-STATE",
      asks: "A command in the wrong state is answered negatively.",
      does: "`-ERR command is not valid in this state`.",
    },
    {
      id: "RFC1939-3-TIMER",
      asks: "An autologout timer is of at least ten minutes, and at its end nothing is removed.",
      does: "30 minutes after login by default, less than ten is warned about; before login 60 s " +
        "(V0002), where there is nothing to lose.",
    },
    {
      id: "RFC1939-4-LOGIN",
      asks: "Only a client that has identified itself gets to a maildrop.",
      does: "USER/PASS or AUTH.",
    },
    {
      id: "RFC1939-4-UNAVAILABLE",
      asks: "If the maildrop cannot be opened, the login is answered negatively.",
      does: "`-ERR [SYS/TEMP]` or `[SYS/PERM]`, the reason in the log, and the session stays in " +
        "AUTHORIZATION.",
    },
    {
      id: "RFC1939-4-NUMBERS",
      asks: "Messages are numbered from 1 for the session, in decimal.",
      does: "In the order of their unique-ids, or the other way round with " +
        '`message_retrieval_sort_order = "descending"`. Numbers never move.',
    },
    { id: "RFC1939-4-QUIT", asks: "QUIT before the login only closes.", does: "So it does." },
    {
      id: "RFC1939-5-STAT-1",
      asks: "STAT: `+OK`, number of messages, octets.",
      does: "Exactly that.",
    },
    { id: "RFC1939-5-STAT-2", asks: "STAT leaves marked messages out.", does: "Count and octets." },
    { id: "RFC1939-5-LIST-1", asks: "LIST n: one scan listing.", does: "`+OK n octets`." },
    { id: "RFC1939-5-LIST-2", asks: "LIST n of a marked message is refused.", does: "It is." },
    {
      id: "RFC1939-5-LIST-3",
      asks: "LIST: a multi-line response, a scan listing a message.",
      does: "Marked messages are left out.",
    },
    {
      id: "RFC1939-5-LIST-4",
      asks: "LIST of an empty maildrop is an empty listing.",
      does: "`+OK` and the terminator.",
    },
    {
      id: "RFC1939-5-RETR-1",
      asks: "RETR n: the message as a multi-line response.",
      does: "Streamed: a session holds some 64 KiB of it whatever its size.",
    },
    { id: "RFC1939-5-RETR-2", asks: "RETR of a marked message is refused.", does: "It is." },
    { id: "RFC1939-5-DELE-1", asks: "DELE marks a message.", does: "It does." },
    {
      id: "RFC1939-5-DELE-2",
      asks: "Any later use of a marked message's number is an error.",
      does: "LIST, UIDL, RETR, TOP and DELE say that it is marked.",
    },
    {
      id: "RFC1939-5-DELE-3",
      asks: "Nothing is removed before UPDATE.",
      does: "Only QUIT in TRANSACTION removes anything.",
    },
    { id: "RFC1939-5-NOOP", asks: "NOOP: a positive response, nothing else.", does: "`+OK`." },
    { id: "RFC1939-5-RSET", asks: "RSET unmarks all messages.", does: "It does." },
    {
      id: "RFC1939-6-QUIT-1",
      asks: "QUIT in TRANSACTION removes all marked messages.",
      does: "One after the other; those that somebody else removed count as removed.",
    },
    {
      id: "RFC1939-6-QUIT-2",
      asks: "QUIT reports how that went, and closes.",
      does: "Exactly one line: `+OK`, or `-ERR` if any marked message is left.",
    },
    {
      id: "RFC1939-6-QUIT-3",
      asks: "A session that ends in any other way removes nothing.",
      does: "Nothing: when the line drops, at autologout, at shutdown, at a fault.",
      also: [
        "end_to_end/timeouts_test.ts: a session that runs out of time removes nothing that it marked",
      ],
    },
    {
      id: "RFC1939-7-TOP-1",
      asks: "TOP n m: header, blank line, m lines of the body.",
      does: "Only body lines are counted; `TOP n 0` is header and blank line.",
    },
    {
      id: "RFC1939-7-TOP-2",
      asks: "TOP with more lines than there are sends the whole message.",
      does: "Any number of digits is taken.",
    },
    { id: "RFC1939-7-TOP-3", asks: "TOP needs both arguments.", does: "Else `-ERR`." },
    {
      id: "RFC1939-7-UIDL-1",
      asks: "UIDL, with and without a number: number, space, unique-id.",
      does: "1 to 70 characters of 0x21 to 0x7E; decimal (C0007) unless carried over.",
    },
    { id: "RFC1939-7-UIDL-2", asks: "UIDL leaves marked messages out.", does: "It does." },
    {
      id: "RFC1939-7-UIDL-3",
      asks: "A unique-id lasts across sessions.",
      does: "Also when the file is renamed; it is on disk before any client sees it.",
    },
    {
      id: "RFC1939-7-UIDL-4",
      asks: "A unique-id should never be used again in a maildrop.",
      does: "Never (C0008).",
    },
    {
      id: "RFC1939-7-USER-1",
      asks: "USER may be given after the greeting and after a failed USER or PASS.",
      does: "At any time before the login; the last one counts, for the next line.",
    },
    {
      id: "RFC1939-7-PASS-1",
      asks: "PASS may only be given right behind a successful USER.",
      does: "On the very next line, whatever stands there; else `-ERR send USER first`.",
    },
    {
      id: "RFC1939-7-PASS-2",
      asks: "After a failed PASS the client may begin again with USER, or QUIT.",
      does: "The name is forgotten.",
    },
    {
      id: "RFC1939-11-SIZE",
      asks: "In sizes each line end counts as two octets, and stuffing does not count.",
      does:
        "With `enable_exact_rfc822_size = true`; by default sizes are those in storage (2.1.5).",
    },
  ],
};
