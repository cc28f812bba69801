/** The keys of the settings file about mail that comes by LMTP. */

import { SOCKET_PATH_OCTETS } from "./lmtp_binding.ts";
import { setting } from "./kinds.ts";
import { ADDRESSES, lmtpBindings, texts } from "./list_kinds.ts";

export const lmtpSection = {
  "Mail by LMTP": {
    lmtp_bindings: setting(
      lmtpBindings(SOCKET_PATH_OCTETS),
      "Where to listen for a mail system that hands mail over by LMTP (RFC 2033): addresses with ports, " +
        "and sockets of this machine, whose folder has to be there. A socket is for its owner and its group: " +
        "where the folder has the set-group-ID bit, the folder's group. docs/delivery.md has examples.",
    ),
    lmtp_remote_ip_ranges: setting(
      texts(ADDRESSES),
      "Who may hand mail over by an address in lmtp_bindings, besides this machine itself. LMTP has no " +
        "password: whoever may connect may write mail to everybody, in anybody's name. Others' connections " +
        "are closed without a word.",
      "RemoteIPRanges",
    ),
  },
} as const;
