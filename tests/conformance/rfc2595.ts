/** What RFC 2595, TLS with POP3, asks of a server, in our words. */

import type { Document } from "./statement.ts";

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
