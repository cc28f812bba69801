/**
 * Dovecot's quota rules, as users' entries have them (`userdb_quota_rule`): `*:storage=1G:messages=1000`,
 * `Trash:storage=+100M`, `Spam:ignore`. Pure.
 *
 * `storage` counts KiB and `bytes` octets, unless B, k, M, G or T stands behind the number (1024s). What a rule says
 * of a folder is beside the quota: so much more may be there when mail comes into that folder. A percentage is one
 * of the quota. `backend=` holds a definition as in maildirsize: `*:backend=1000000S,1000C`.
 *
 * A rule that is not understood is a fault: half of one would be another quota than its writer meant.
 * Source: Dovecot 2.3, src/plugins/quota/quota-util.c.
 */

import { NO_LIMITS, parseDefinition, type QuotaLimits } from "./quota_definition.ts";

/** How much more, or less, there may be. */
export interface Allowance {
  readonly value: number;
  /** Whether it is a part of the quota, in hundredths. */
  readonly isPercentage: boolean;
}

export type QuotaRule =
  /** Of all mail. */
  | { readonly kind: "limits"; readonly limits: QuotaLimits }
  /** Of a folder whose mail does not count. */
  | { readonly kind: "ignored"; readonly mask: string }
  /** Of a folder into which more may come. */
  | {
    readonly kind: "folder";
    readonly mask: string;
    readonly octets: Allowance | undefined;
    readonly messages: Allowance | undefined;
  };

export interface RuleFault {
  readonly fault: string;
}

/** Longest rule, characters. */
const RULE_CHARACTERS = 1_000;

const OCTETS_OF_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

export function isRuleFault(rule: QuotaRule | RuleFault): rule is RuleFault {
  return "fault" in rule;
}

export function parseQuotaRule(text: string): QuotaRule | RuleFault {
  if (text.length > RULE_CHARACTERS) return { fault: "the rule is too long" };
  const colon = text.indexOf(":");
  if (colon < 1) return { fault: 'a rule begins with a folder, or "*", and a colon' };
  const mask = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const isOfAll = mask === "*" || mask === "?";
  if (rest === "ignore") {
    return isOfAll ? { kind: "limits", limits: NO_LIMITS } : { kind: "ignored", mask };
  }
  if (rest.startsWith("backend=")) return backendRule(rest.slice("backend=".length), isOfAll);
  const allowances = { octets: undefined, messages: undefined } as {
    octets: Allowance | undefined;
    messages: Allowance | undefined;
  };
  for (const part of rest.split(":")) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    if (key !== "storage" && key !== "bytes" && key !== "messages") {
      return { fault: "a rule has storage=, bytes= or messages=, or ignore" };
    }
    const allowance = parseAllowance(value, key === "storage" ? 1_024 : 1);
    if (allowance === undefined) return { fault: `${key} has no number that is understood` };
    const isAbsolute = /^\d/.test(value) && !allowance.isPercentage;
    if (isOfAll && !isAbsolute) {
      return { fault: `${key} of all mail is a number, without a sign and no percentage` };
    }
    allowances[key === "messages" ? "messages" : "octets"] = allowance;
  }
  if (!isOfAll) return { kind: "folder", mask, ...allowances };
  const { octets, messages } = allowances;
  return {
    kind: "limits",
    limits: { octets: octets?.value ?? 0, messages: messages?.value ?? 0 },
  };
}

function backendRule(definition: string, isOfAll: boolean): QuotaRule | RuleFault {
  const limits = definition === "NOQUOTA" ? NO_LIMITS : parseDefinition(definition);
  if (limits === undefined || !isOfAll) return { fault: "backend= has no definition of Maildir++" };
  return { kind: "limits", limits };
}

/** Undefined for what is no number, or one that is not exact. */
function parseAllowance(text: string, unit: number): Allowance | undefined {
  const [, sign, digits, letter = ""] = /^([+-]?)(\d{1,16})(%|[BKMGT](?:i?B)?)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const isPercentage = letter === "%";
  const factor = isPercentage ? 1 : OCTETS_OF_UNIT[letter.slice(0, 1).toUpperCase()] ?? unit;
  const value = Number(digits) * factor * (sign === "-" ? -1 : 1);
  return Number.isSafeInteger(value) ? { value, isPercentage } : undefined;
}

/** A size as Dovecot 2.4 has it in fields of an entry (`quota_storage_size`): octets, or with a unit. */
export function parseFieldSize(text: string): number | undefined {
  if (text === "unlimited") return 0;
  const allowance = /^\d/.test(text) ? parseAllowance(text, 1) : undefined;
  return allowance?.isPercentage === false ? allowance.value : undefined;
}
