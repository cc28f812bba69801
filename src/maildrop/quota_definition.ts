/** A quota as Maildir++ writes it: `10000000S,1000C` is ten million octets and a thousand messages. Pure. */

/** 0 is no limit. */
export interface QuotaLimits {
  readonly octets: number;
  readonly messages: number;
}

export const NO_LIMITS: QuotaLimits = { octets: 0, messages: 0 };

/** The limits that a definition names; undefined if there is anything else in it, or what is not exact. */
export function parseDefinition(definition: string): QuotaLimits | undefined {
  const limits = { octets: 0, messages: 0 };
  for (const part of definition.split(",")) {
    const [, digits, letter] = /^(\d{1,16})([SC])$/.exec(part) ?? [];
    const limit = Number(digits);
    if (!Number.isSafeInteger(limit)) return undefined;
    limits[letter === "S" ? "octets" : "messages"] = limit;
  }
  return limits;
}

/** No limits are `0S`, as Dovecot writes it: a first line there must be. */
export function encodeDefinition({ octets, messages }: QuotaLimits): string {
  const parts = [...octets > 0 ? [`${octets}S`] : [], ...messages > 0 ? [`${messages}C`] : []];
  return parts.join(",") || "0S";
}
