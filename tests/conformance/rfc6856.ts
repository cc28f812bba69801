/** What RFC 6856, support for UTF-8, asks of a server, in our words. */

import type { Document } from "./statement.ts";

export const RFC6856: Document = {
  title: "RFC 6856: POP3 support for UTF-8",
  note: "UTF8 and LANG.",
  statements: [
    {
      id: "RFC6856-2.1-UTF8",
      asks: "UTF8 switches to UTF-8 mode; it has no argument.",
      does: "So it does.",
    },
    {
      id: "RFC6856-2.1-STATE",
      asks: "UTF8 is only there in AUTHORIZATION.",
      does: "Else `-ERR`.",
    },
    {
      id: "RFC6856-2.1-EIGHT-BIT",
      asks:
        "Without UTF8, a message that needs it is refused or sent as a surrogate, not as it is.",
      does:
        "Sent as it is by default: nearly no client says UTF8, and a refusal, or a surrogate that " +
        'is then deleted in place of the message, loses mail. `eight_bit_headers = "refuse"` refuses.',
      standing: "deviates",
    },
    {
      id: "RFC6856-2.1-STLS",
      asks: "A server may refuse STLS after UTF8.",
      does: "It takes it, and forgets UTF8.",
    },
    {
      id: "RFC6856-2.1-SIZE",
      asks: "LIST's figure should match the octets that RETR sends.",
      does: "With `enable_exact_rfc822_size = true`; see 2.1.5.",
    },
    {
      id: "RFC6856-2.2-USER",
      asks: "UTF8 USER: names and passwords may be UTF-8, and what is not UTF-8 is refused.",
      does:
        "Before and after UTF8. A name that is not UTF-8 is refused as an unknown one is. PASS " +
        "takes a password in any octets, so that one of an older time goes on to work; AUTH PLAIN " +
        "takes UTF-8 alone.",
      standing: "deviates",
    },
    {
      id: "RFC6856-2.2-SASLPREP",
      asks: "Names and passwords should be prepared with SASLprep.",
      does: "They are not; see RFC5034-4-SASLPREP.",
      standing: "deviates",
    },
    {
      id: "RFC6856-3-LISTING",
      asks: "LANG alone lists languages: a tag, a space, the name in the language itself.",
      does: "English, German, and the default language.",
    },
    {
      id: "RFC6856-3-CHOOSE",
      asks: "LANG with a range chooses; the tag chosen stands in the answer.",
      does: "Texts are in that language from this answer on; `de-AT` chooses `de`.",
    },
    {
      id: "RFC6856-3-UNKNOWN",
      asks: "A range that fits nothing is refused and changes nothing.",
      does: "`-ERR`, in the language spoken before.",
    },
    {
      id: "RFC6856-3-STAR",
      asks: "`*` chooses the language that the administrator prefers.",
      does: "English.",
    },
    {
      id: "RFC6856-3-UTF8",
      asks: "Texts after LANG are UTF-8.",
      does: "Before it they are ASCII.",
    },
    {
      id: "RFC6856-5-CODE",
      asks: "[UTF8] says that a request failed for lack of UTF8.",
      does: 'Sent for RETR and TOP with `eight_bit_headers = "refuse"`.',
    },
  ],
};
