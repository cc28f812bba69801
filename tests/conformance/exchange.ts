/** The statements of [MS-STANXPOP3] v20141018, all of them. */

import type { Document } from "./statement.ts";

export const EXCHANGE: Document = {
  title: "[MS-STANXPOP3]: what Exchange's POP3 service does",
  note: "Variations 2.1.1 to 2.1.5, clarifications C, points of variability V, extensions E.",
  statements: [
    {
      id: "2.1.1",
      asks: "Keyword and arguments are parted by one or more SPACE, or one or more TAB.",
      does: "Any run of SPACE and TAB parts them; blanks at the end of the line are ignored. " +
        "Behind PASS exactly one parts (V0011).",
    },
    {
      id: "2.1.2",
      asks: "The length of an argument is not limited; that of the command is, to 512 octets by " +
        "default.",
      does: "No limit per argument. A command line is at most `max_command_size` octets with its " +
        "CRLF, 512 by default.",
    },
    {
      id: "2.1.3",
      asks: "The maildrop is not locked for the session.",
      does: "No lock: any number of sessions, deliverers and IMAP servers use a mailbox at once.",
    },
    {
      id: "2.1.4",
      asks: "STAT gives what the messages occupy in storage, or the exact size by a setting.",
      does: "The octets of the files, or with `enable_exact_rfc822_size = true` the octets as " +
        "sent. STAT is always the sum of LIST.",
    },
    {
      id: "2.1.5",
      asks: "LIST gives what the message occupies in storage, or the exact size by a setting.",
      does: "As 2.1.4; RETR's first line gives the same figure as LIST.",
    },
    {
      id: "E0001",
      asks: "Ports 110 and 995 (TLS) by default, any by settings.",
      does:
        "`unencrypted_or_tls_bindings` and `ssl_bindings`: any number of addresses and ports, " +
        "110 and 995 of all IPv4 and IPv6 addresses by default.",
    },
    {
      id: "C0001",
      asks: "A response is at most 512 characters with its CRLF.",
      does: "Every response line but message text; longer texts are clipped between characters.",
    },
    {
      id: "C0002",
      asks: "After the greeting the client must identify itself.",
      does: "Nothing of a mailbox can be done in AUTHORIZATION.",
    },
    {
      id: "V0001",
      asks: "Some negative responses carry text that helps to find the cause.",
      does:
        "Each carries a short reason, and a response code where RFC 2449, 3206 or 6856 has one.",
    },
    {
      id: "V0002",
      asks:
        "Two inactivity timers, 1,800 s after login and 60 s before, both settable; any command " +
        "resets them.",
      does: "`authenticated_connection_timeout` and `pre_authenticated_connection_timeout` with " +
        "these defaults. Octets that the client takes count as activity too.",
    },
    {
      id: "V0003",
      asks: "At inactivity autologout the client is told before the connection closes.",
      does: "One `-ERR` line, then close. Nothing is removed.",
    },
    {
      id: "C0003",
      asks: "The client must authenticate itself.",
      does: "Only a login leads to TRANSACTION.",
    },
    {
      id: "E0002",
      asks: "Mechanisms: NTLM, GSSAPI, PLAIN, USER/PASS.",
      does:
        "All four, NTLM and GSSAPI where the directories and the settings have what they need, and " +
        "further ones: docs/login.md. Each is offered where it can succeed.",
    },
    {
      id: "E0002-NTLM",
      asks: "NTLM as in [MS-NLMP], framed as in [MS-OXPOP3].",
      does:
        "NTLMv2, over NT hashes that directories keep or by Samba's ntlm_auth; LM and NTLMv1 are " +
        "refused. Neither signing, sealing nor key exchange is offered, which POP3 has no use for.",
      also: [
        "unit/auth/ntlm_vectors_test.ts: every key of Microsoft's example is Microsoft's",
        "unit/auth/ntlm_mechanism_test.ts: a MIC that is announced has to be right: over each message, and there at all",
        "unit/auth/ntlm_mechanism_test.ts: LM and NTLMv1 answers and anonymous ones are refused, and the operator learns why",
      ],
    },
    {
      id: "E0002-GSSAPI",
      asks: "GSSAPI as in RFC 4121.",
      does: "Kerberos 5 by the system's library, as RFC 4752 has it in SASL; layer 1 (none) only.",
      also: ["unit/auth/gssapi_kerberos_test.ts: a principal of the keytab's realm is a user"],
    },
    {
      id: "C0004",
      asks: "The session works on a snapshot; what others change is not seen; RETR and TOP of a " +
        "message that was deleted meanwhile fail.",
      does: "As asked. A message that was only renamed (read elsewhere) is found again.",
    },
    {
      id: "C0005",
      asks: "After a negative response the server can close the connection.",
      does: "It does after `max_bad_commands` (20) and `max_failed_logins` (5), the last answer " +
        "being `[SYS/PERM]` or why the login failed, and at once when somebody speaks HTTP or SMTP.",
    },
    {
      id: "V0004",
      asks: "Nothing follows the size in STAT.",
      does: "Nothing does.",
    },
    {
      id: "V0005",
      asks: "Nothing follows the size in LIST.",
      does: "Nothing does.",
    },
    {
      id: "V0006",
      asks: "UPDATE is not atomic; no unmarked message is ever removed.",
      does:
        "It goes on after a failure, answers `-ERR` if any marked message is left, and removes " +
        "no other.",
      also: [
        "fault/kill_test.ts: ${KILLS} kills lose no message and repeat no unique-id (POPKEEP_SEED=${SEED})",
      ],
    },
    {
      id: "C0006",
      asks: "All commands of the minimal server are supported.",
      does: "USER PASS QUIT STAT LIST RETR DELE NOOP RSET, and of the optional ones TOP and UIDL.",
    },
    { id: "V0007", asks: "TOP is implemented.", does: "It is." },
    {
      id: "C0007",
      asks: "Unique-ids are decimal and increase, not necessarily by one.",
      does: "Microseconds since 1970 at which a message was first seen, or more.",
    },
    {
      id: "C0008",
      asks: "A unique-id is not used again, even after its message was deleted.",
      does: "A counter in the mailbox, never below the clock: also not after the file that holds " +
        "it was lost or put back from a backup.",
      also: [
        "fault/kill_test.ts: ${KILLS} kills lose no message and repeat no unique-id (POPKEEP_SEED=${SEED})",
      ],
    },
    {
      id: "C0009",
      asks:
        "Equal messages have different unique-ids; ids carried over from an older server keep " +
        "their form.",
      does: "As asked; the mailbox's list of unique-ids has a place for the carried one.",
    },
    {
      id: "V0008",
      asks: "USER is not refused for the sake of the mailbox, which is looked for at PASS.",
      does: "USER looks for nothing. It is refused only where passwords are (V0010).",
    },
    {
      id: "V0009",
      asks: "USER is answered positively whether or not the mailbox exists.",
      does: "So it is, and an unknown user costs the same time and the same words at PASS.",
      also: [
        "unit/auth/authenticator_test.ts: an unknown user costs one hash of the directory's kind, as a known one does",
      ],
    },
    {
      id: "V0010",
      asks: "A negative response where plaintext passwords are not allowed.",
      does:
        "USER, PASS and plaintext mechanisms are refused by connection and `login_type`, alike " +
        "for every name.",
    },
    {
      id: "C0010",
      asks:
        "USER and PASS together decide; Exchange 2007 says login failed for a user of another " +
        "site.",
      does: "The pair decides. There are no sites.",
    },
    {
      id: "V0011",
      asks: "All the rest of the line behind PASS is the password, spaces included.",
      does: "All octets behind one SPACE or TAB, also blanks at the end.",
    },
    {
      id: "V0012",
      asks: "APOP is not supported.",
      does:
        "It is an unknown command, and the greeting holds no `<...>`, so clients do not try it.",
    },
    {
      id: "E0003",
      asks: "A storage quota per mailbox, inherited and changeable.",
      does: "Octets and messages, for all, by domain, by user and by the user's own entry " +
        "(`quota_rule`); kept in `maildirsize`. `popkeep deliver` and LMTP refuse or defer what there is " +
        "no room for.",
    },
    {
      id: "E0004",
      asks: "Users near their quota are warned.",
      does:
        "At percentages of the settings a message comes into the maildrop, once each, and again " +
        "only after there was room; it does not count.",
    },
    {
      id: "E0005",
      asks: "Messages are removed by age, as the site chooses.",
      does:
        "`retention_read` and `retention_unread`, for everybody, domains, users and folders, by a daily pass " +
        "of `serve` and by `popkeep expire`; never unless they are set. Mail of an open session stays.",
    },
    {
      id: "C0011",
      asks: "What is sent conforms to the standard for Internet text messages.",
      does:
        "CRLF lines, stuffed and ended, whatever is stored: a bare LF becomes CRLF, a last line " +
        "without an end gets one. What the sender wrote stays, and the stored file is not rewritten.",
    },
    {
      id: "E0006",
      asks: "The longest command is settable from 40 to 1,024 octets, 512 by default.",
      does: "`max_command_size`, with that range and default.",
    },
    {
      id: "E0007",
      asks: "The same, where RFC 2449 asks for at least 255 octets with CAPA.",
      does: "As E0006; fewer than 255 are accepted and warned about at start.",
    },
  ],
};
