/** What the settings may say of LMTP and had better not. *Does not know* the disk. */

import { formatBinding, isLoopback } from "./binding.ts";
import type { Settings } from "./effective.ts";
import { isSocketPath } from "./lmtp_binding.ts";
import type { Warning } from "./warning.ts";

export function lmtpWarnings({ lmtpBindings, lmtpRemoteIpRanges }: Settings): Warning[] {
  const open = lmtpBindings.flatMap((binding) =>
    isSocketPath(binding) || isLoopback(binding.address) ? [] : [formatBinding(binding)]
  );
  const warnings: Warning[] = lmtpRemoteIpRanges.filter((range) => range.endsWith("/0")).map((
    range,
  ) => ({
    key: "lmtp_remote_ip_ranges",
    message: `${range} lets everybody who can connect write mail to every user, in anybody's name`,
  }));
  if (open.length > 0 && lmtpRemoteIpRanges.length === 0) {
    warnings.push({
      key: "lmtp_bindings",
      message:
        `${
          open.join(", ")
        } can be connected to over the network, and lmtp_remote_ip_ranges names ` +
        "nobody there: all but this machine are turned away",
    });
  }
  return warnings;
}
