/** What the RFCs that extend POP3 ask of a server, in our words. */

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
      does: "`EXPIRE NEVER`: it does not.",
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

export const RFC2595: Document = {
  title: "RFC 2595: TLS with POP3",
  note: "STLS, and passwords without TLS. The TLS it was written for is replaced by 1.2 and 1.3.",
  statements: [
    {
      id: "RFC2595-2.2",
      asks: "There is a mode in which nobody logs in without encryption.",
      does: '`login_type = "secure_login"`, the default.',
    },
    {
      id: "RFC2595-2.3",
      asks: "Plaintext logins can be refused without encryption.",
      does: "They are, by default.",
    },
    {
      id: "RFC2595-4-STATE",
      asks: "STLS is only there in AUTHORIZATION.",
      does: "Else `-ERR`.",
    },
    {
      id: "RFC2595-4-BEGIN",
      asks: "TLS begins right behind the CRLF of `+OK`; the session stays in AUTHORIZATION.",
      does: "So it does.",
    },
    {
      id: "RFC2595-4-TWICE",
      asks: "STLS where TLS is on may be refused.",
      does: "`-ERR TLS is already on`.",
    },
    {
      id: "RFC2595-4-CAPA",
      asks: "STLS is listed by CAPA where it is there.",
      does: "Listed where there is a certificate and TLS is not on.",
    },
    {
      id: "RFC2595-4-FORGET",
      asks: "What was said before TLS is not used under it.",
      does:
        "Name, language and mode are forgotten; octets that stood behind STLS in the clear close " +
        "the connection.",
      also: [
        "end_to_end/tls_test.ts: what stands behind STLS in the clear is never used, and the connection closes",
      ],
    },
  ],
};

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
      does: "A mailbox that may not be read or is none, an account that is disabled.",
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

export const RFC5034: Document = {
  title: "RFC 5034 and RFC 4616: AUTH and the mechanism PLAIN",
  note: "SASL in POP3.",
  statements: [
    {
      id: "RFC5034-3-SASL",
      asks: "SASL lists the mechanisms, also after the login.",
      does: "Those that are allowed on this connection now; the line is left out where none is.",
    },
    {
      id: "RFC5034-4-ONCE",
      asks: "AUTH is refused after a login.",
      does: "`-ERR`.",
    },
    {
      id: "RFC5034-4-UNKNOWN",
      asks: "A mechanism that is not supported is refused.",
      does: "`-ERR`, and the session goes on.",
    },
    {
      id: "RFC5034-4-INITIAL",
      asks: "An initial response may stand behind the mechanism.",
      does:
        "On a line of up to `max_command_size` octets, more than the 255 that a client may use.",
    },
    {
      id: "RFC5034-4-CHALLENGE",
      asks:
        "Without one, a mechanism that needs it is begun by an empty challenge, `+` and a space.",
      does: "`+ ` with its space.",
    },
    {
      id: "RFC5034-4-EMPTY",
      asks: "`=` is an empty initial response, which is not the same as none.",
      does: "So it is told to the mechanism.",
    },
    {
      id: "RFC5034-4-CANCEL",
      asks: "`*` cancels and is answered negatively.",
      does: "`-ERR`, and another AUTH may follow.",
    },
    {
      id: "RFC5034-4-BASE64",
      asks: "What is not base64, to the letter, is refused and not ignored.",
      does: "Also padding in the middle, none at the end, and bits that should be zero.",
    },
    {
      id: "RFC5034-4-LENGTH",
      asks: "Responses may be as long as the mechanism makes them, whatever limits commands.",
      does: "12,288 octets of base64, apart from `max_command_size`.",
    },
    {
      id: "RFC5034-4-AGAIN",
      asks: "After a failed AUTH the session is as if it had not been.",
      does: "Another mechanism or USER may follow, up to `max_failed_logins`.",
    },
    {
      id: "RFC5034-4-PLAIN",
      asks: "PLAIN under TLS is implemented.",
      does: "It is.",
    },
    {
      id: "RFC5034-4-DEFAULT",
      asks:
        "Plaintext mechanisms can be neither offered nor taken without TLS, and that should be " +
        "the default.",
      does: "It is the default.",
    },
    {
      id: "RFC5034-4-SASLPREP",
      asks: "Names should be prepared with SASLprep before they are compared.",
      does: "They are compared octet by octet, as the user file holds them: preparing them would " +
        "lock out who is in an existing file under a name that SASLprep changes.",
      standing: "deviates",
    },
    {
      id: "RFC5034-5-CASE",
      asks: "AUTH and mechanism names are case-insensitive.",
      does: "They are.",
    },
    {
      id: "RFC4616-2-FORM",
      asks: "A PLAIN message is authzid, NUL, authcid, NUL, password, in UTF-8.",
      does: "Any other form is refused before a password is looked at.",
    },
    {
      id: "RFC4616-2-AUTHZID",
      asks: "Who may act as whom is the server's to decide.",
      does: "Everybody as himself only.",
    },
  ],
};

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
      does: "Before and after UTF8.",
    },
    {
      id: "RFC6856-2.2-SASLPREP",
      asks: "Names and passwords should be prepared with SASLprep.",
      does: "They are compared octet by octet; see RFC5034-4-SASLPREP.",
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
