/** All fuzz targets. */

import type { FuzzTarget } from "./target.ts";
import { certificate } from "./targets/certificate.ts";
import { checkpasswordReport } from "./targets/checkpassword_report.ts";
import { command } from "./targets/command.ts";
import { courierSizeList } from "./targets/courier_size_list.ts";
import { cyrusIndex } from "./targets/cyrus_index.ts";
import { dovecotUidlFormat } from "./targets/dovecot_uidl_format.ts";
import { dovecotUidlist } from "./targets/dovecot_uidlist.ts";
import { fileListing } from "./targets/file_listing.ts";
import { fileName } from "./targets/file_name.ts";
import { jsonWebToken } from "./targets/json_web_token.ts";
import { keptFailures } from "./targets/kept_failures.ts";
import { keySet } from "./targets/key_set.ts";
import { keytab } from "./targets/keytab.ts";
import { ldapEntry } from "./targets/ldap_entry.ts";
import { lineFramer } from "./targets/line_framer.ts";
import { lmtp } from "./targets/lmtp.ts";
import { logLine } from "./targets/log_line.ts";
import { maildirsize } from "./targets/maildirsize.ts";
import { mailLocationTarget } from "./targets/mail_location.ts";
import { messageHeader } from "./targets/message_header.ts";
import { messageOctets } from "./targets/message_octets.ts";
import { modifiedUtf7 } from "./targets/modified_utf7.ts";
import { ntlmHelperReply } from "./targets/ntlm_helper_reply.ts";
import { proxyHeader } from "./targets/proxy_header.ts";
import { revocationList } from "./targets/revocation_list.ts";
import { saslBearer } from "./targets/sasl_bearer.ts";
import { saslExternal } from "./targets/sasl_external.ts";
import { saslGssapi } from "./targets/sasl_gssapi.ts";
import { saslNtlm } from "./targets/sasl_ntlm.ts";
import { saslPlain } from "./targets/sasl_plain.ts";
import { saslScram } from "./targets/sasl_scram.ts";
import { wholeServer } from "./targets/server.ts";
import { session } from "./targets/session.ts";
import { settingsFile } from "./targets/settings_file.ts";
import { sidecarFile } from "./targets/sidecar_file.ts";
import { sqlQuery } from "./targets/sql_query.ts";
import { sqlRow } from "./targets/sql_row.ts";
import { storedPassword } from "./targets/stored_password.ts";
import { uniqueIdList } from "./targets/unique_id_list.ts";
import { userFile } from "./targets/user_file.ts";
import { workerChannel } from "./targets/worker_channel.ts";

export const TARGETS: readonly FuzzTarget[] = [
  // What clients send.
  proxyHeader,
  lineFramer,
  command,
  session,
  saslPlain,
  saslScram,
  saslNtlm,
  saslGssapi,
  saslBearer,
  saslExternal,
  jsonWebToken,
  certificate,
  wholeServer,
  lmtp,
  // What lies in mailboxes.
  uniqueIdList,
  sidecarFile,
  fileName,
  fileListing,
  maildirsize,
  modifiedUtf7,
  messageOctets,
  messageHeader,
  // What operators and other servers write.
  settingsFile,
  userFile,
  storedPassword,
  mailLocationTarget,
  sqlRow,
  sqlQuery,
  ldapEntry,
  keySet,
  keytab,
  revocationList,
  ntlmHelperReply,
  checkpasswordReport,
  dovecotUidlist,
  dovecotUidlFormat,
  courierSizeList,
  cyrusIndex,
  // What popkeep tells itself.
  keptFailures,
  workerChannel,
  // What is written where people look.
  logLine,
];
