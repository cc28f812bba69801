/** The documents of the mechanisms beyond PLAIN, statement by statement: what a server has to do. */

import type { Document } from "./statement.ts";

const gssapi = (name: string) => `unit/auth/gssapi_mechanism_test.ts: ${name}`;
const scram = (name: string) => `unit/auth/scram_mechanism_test.ts: ${name}`;
const oauth = (name: string) => `unit/auth/oauth_mechanisms_test.ts: ${name}`;
const external = (name: string) => `unit/auth/external_mechanism_test.ts: ${name}`;

export const MECHANISMS: Document = {
  title: "Mechanisms",
  note:
    "What RFC 4752 (GSSAPI), RFC 5802 and 7677 (SCRAM), RFC 9266 and 5929 (channel bindings), " +
    "RFC 7628 (OAUTHBEARER) and RFC 4422 (EXTERNAL) ask of a server. NTLM stands with E0002 above.",
  statements: [
    {
      id: "RFC4752-3.2-LAYER",
      asks:
        "After the context the server offers protection layers in a wrapped token; the client " +
        "chooses one that was offered.",
      does: "Offered is no layer alone, with size 0: TLS protects. Any other choice is refused.",
      also: [
        gssapi("who chooses no layer and no identity is admitted as itself"),
        gssapi("a choice that is not protected by the context is a failed login of that user"),
        gssapi("the size that a client names for no layer does not matter"),
      ],
    },
    {
      id: "RFC4752-3.2-EMPTY",
      asks: "Where the server had the last word the client answers with an empty response.",
      does: "As asked; anything in its place is malformed.",
      also: [
        gssapi("RFC 4752 §3.2: after a last token of ours the client answers with nothing"),
        gssapi("something in the place of that nothing is malformed, and lets nobody in"),
      ],
    },
    {
      id: "RFC4752-3.2-AUTHZID",
      asks: "The server checks that the principal may act as the authorization identity.",
      does: "The same rules as for every mechanism decide: master users and delegates.",
      also: [gssapi("the identity that the client wants goes to the desk")],
    },
    {
      id: "RFC5802-5-EXCHANGE",
      asks: "Four messages, each with its attributes in their order.",
      does: "As asked, on RFC 7677's own example; what the grammar does not allow is malformed.",
      also: [
        scram("who knows the password is let in, after a signature that was asked for by nothing"),
        scram(
          "first messages that the grammar does not allow are malformed, and nobody is looked up",
        ),
        "unit/auth/scram_proof_test.ts: the proof of RFC 7677's example is right",
      ],
    },
    {
      id: "RFC5802-6-DOWNGRADE",
      asks:
        "A client that could bind, and was told that there is no -PLUS where there is, is refused.",
      does: "As asked.",
      also: [scram("a client that was told there is no -PLUS is refused where there is")],
    },
    {
      id: "RFC5802-6-BINDING",
      asks: "With -PLUS the binding has to be that of this channel.",
      does:
        "tls-exporter (RFC 9266) and tls-server-end-point (RFC 5929); -PLUS is offered where the " +
        "first is to be had, under TLS 1.3.",
      also: [
        scram("-PLUS lets in who is bound to this channel by tls-exporter"),
        scram("-PLUS refuses who is bound to another channel, or to none"),
      ],
    },
    {
      id: "RFC5802-9-UNKNOWN",
      asks: "An unknown user should not be told from a known one.",
      does:
        "Salt and iterations are made up, the same each time and over a restart, and the proof is " +
        "checked against made-up keys.",
      also: [
        scram("an unknown user is sent the same salt each time and in every spelling"),
        scram("an unknown user is refused as one with a wrong password is"),
      ],
    },
    {
      id: "RFC5802-7-ERROR",
      asks: "A failure may be told as e=... before the exchange ends.",
      does: "It is not: POP3's own -ERR says it, and e=... would tell more or nothing.",
    },
    {
      id: "RFC7628-3.2.3-FAILURE",
      asks: "A failure is told as JSON, the client answers with ^A, then the exchange fails.",
      does: "As asked, whatever the client answers.",
      also: [
        oauth("OAUTHBEARER: a failure is told as RFC 7628 has it"),
        oauth("OAUTHBEARER: after a failure the client is refused whatever it answers"),
      ],
    },
    {
      id: "RFC7628-4.3-QUESTION",
      asks: "An empty token asks what would be needed.",
      does: "It is answered, and no failed guess.",
    },
    {
      id: "RFC4422-A-EXTERNAL",
      asks: "EXTERNAL takes the identity from outside, here the client's certificate, and an " +
        "authorization identity from its one response.",
      does: "As asked; it is offered to who showed a verified certificate with a user name alone.",
      also: [
        external("an empty response logs in the certificate's first name"),
        external("whether it may act as somebody else is the desk's to judge"),
      ],
    },
  ],
};
