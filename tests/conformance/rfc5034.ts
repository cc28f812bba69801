/** What RFC 5034, AUTH, and RFC 4616, PLAIN, ask of a server, in our words. */

import type { Document } from "./statement.ts";

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
      does:
        "A name is looked for in lower case and not prepared otherwise: preparing names would " +
        "lock out who is in an existing file under a name that SASLprep changes. Passwords are " +
        "compared octet by octet.",
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
      does: "Everybody as himself, master users as anybody, delegates as who names them.",
    },
  ],
};
