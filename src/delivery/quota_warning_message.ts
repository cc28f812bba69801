/**
 * The message that warns of a quota, as RFC 5322 has it: of a template, or of the built-in text of a language, with
 * its variables put in.
 *
 * A template is a header, an empty line and a text, in UTF-8; without a header it is a text alone. What it does not
 * say is added: From, To, Subject. Date, Message-ID, Auto-Submitted (RFC 3834 §5) and how the text is encoded are
 * always popkeep's own. One that is no UTF-8, or too long, or cannot be read, is as if there were none.
 *
 * *Knows* messages. *Does not know* mailboxes.
 */

import { Buffer, isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import { QUOTA_WARNING_OCTETS } from "../limits.ts";
import type { Usage } from "../maildir/maildirsize_text.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import { encodeHeaderText, encodeText, isAddressField } from "./mime_text.ts";
import { builtInText, WARNING_WORDS, type WarningLanguage } from "./quota_warning_texts.ts";

const log = getLogger(["popkeep", "delivery"]);

export interface WarningTemplate {
  /** The template, absolute; "" takes the built-in text. */
  readonly file: string;
  readonly language: WarningLanguage;
  /** The domain of addresses where the user's name has none. */
  readonly serverName: string;
}

export interface WarningFacts {
  readonly template: WarningTemplate;
  readonly user: string;
  readonly used: Usage;
  readonly limits: QuotaLimits;
  /** 100 or more says that it is full. */
  readonly percent: number;
  readonly exceeded: "refuse" | "defer";
  readonly nowMs: number;
}

/** How full it is, of whichever limit there is less left of. */
export function percentUsed({ octets, messages }: Usage, limits: QuotaLimits): number {
  return Math.max(
    limits.octets > 0 ? octets / limits.octets * 100 : 0,
    limits.messages > 0 ? messages / limits.messages * 100 : 0,
  );
}

/** The message, with LF at line ends. */
export async function quotaWarningMessage(facts: WarningFacts): Promise<Uint8Array> {
  const written = await templateText(facts.template.file) ?? ownText(facts);
  const filled = filledIn(written, variablesOf(facts));
  const { fields, text } = parted(filled);
  const domain = domainOf(facts);
  const said = (name: string) => fields.some(([field]) => field.toLowerCase() === name);
  const added: Field[] = [
    ["From", `Postmaster <postmaster@${domain}>`],
    ["To", recipientOf(facts, domain)],
    ["Subject", subjectOf(facts)],
    ["Content-Type", "text/plain; charset=utf-8"],
  ];
  const { encoding, octets } = encodeText(text);
  const whole: Field[] = [
    ...added.filter(([field]) => !said(field.toLowerCase())),
    ...fields.filter(([field]) => !OWN_FIELDS.has(field.toLowerCase())),
    ["Date", new Date(facts.nowMs).toUTCString().replace("GMT", "+0000")],
    ["Message-ID", `<quota.${facts.nowMs}.${randomBytes(8).toString("hex")}@${domain}>`],
    ["Auto-Submitted", "auto-generated"],
    ["MIME-Version", "1.0"],
    ["Content-Transfer-Encoding", encoding],
  ];
  const header = whole.map(([field, value]) =>
    `${field}: ${encodeHeaderText(value, isAddressField(field), field.length + 2)}\n`
  );
  return Buffer.concat([Buffer.from(`${header.join("")}\n`, "latin1"), octets]);
}

/** Fields that a template cannot say. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "date",
  "message-id",
  "auto-submitted",
  "mime-version",
  "content-transfer-encoding",
  "return-path",
]);

/** Undefined where there is none, or none that can be used. */
async function templateText(path: string): Promise<string | undefined> {
  if (path === "") return undefined;
  try {
    const file = await open(path);
    try {
      const octets = Buffer.alloc(QUOTA_WARNING_OCTETS + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < octets.length;) {
        read = (await file.read(octets, length, octets.length - length)).bytesRead;
        length += read;
      }
      const text = octets.subarray(0, length);
      if (length > QUOTA_WARNING_OCTETS) throw new Error("it is too long");
      if (!isUtf8(text) || text.includes(0)) throw new Error("it is no text in UTF-8");
      return text.toString("utf8").replace(/\r\n?/g, "\n");
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error("the message that warns of quotas cannot be used", { file: path, reason });
    return undefined;
  }
}

function ownText({ exceeded, limits, percent, template: { language } }: WarningFacts): string {
  return builtInText(WARNING_WORDS[language], {
    isFull: percent >= 100,
    exceeded,
    hasStorage: limits.octets > 0,
    hasMessages: limits.messages > 0,
  });
}

function subjectOf(facts: WarningFacts): string {
  const { fullSubject, subject } = WARNING_WORDS[facts.template.language];
  return filledIn(facts.percent >= 100 ? fullSubject : subject, variablesOf(facts));
}

function variablesOf(facts: WarningFacts): Readonly<Record<string, string>> {
  const { limits, percent, template: { language }, used, user } = facts;
  const { unlimited } = WARNING_WORDS[language];
  const number = (value: number) => value.toLocaleString(language);
  return {
    // No name makes another line of a header.
    user: user.replace(/\p{Cc}/gu, " "),
    percent: String(Math.floor(percent)),
    used: sizeInWords(used.octets, language),
    limit: limits.octets > 0 ? sizeInWords(limits.octets, language) : unlimited,
    messages: number(used.messages),
    message_limit: limits.messages > 0 ? number(limits.messages) : unlimited,
  };
}

/** 1.9 GiB, or 1,9 GiB. */
export function sizeInWords(octets: number, language: string): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = octets;
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024;
  const shown = value.toLocaleString(language, { maximumFractionDigits: unit === 0 ? 0 : 1 });
  return `${shown} ${units[unit]}`;
}

/** What is no variable stays as it stands: a text may have braces in it. */
function filledIn(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\{([a-z_]+)\}/g,
    (whole, name: string) => Object.hasOwn(variables, name) ? variables[name]! : whole,
  );
}

type Field = readonly [field: string, value: string];

interface Parted {
  readonly fields: readonly Field[];
  readonly text: string;
}

const FIELD = /^([!-9;-~]{1,77}):[ \t]*(.*)$/;

/** The header's fields, unfolded, and what is behind it. */
function parted(written: string): Parted {
  const lines = written.split("\n");
  const fields: [string, string][] = [];
  let at = 0;
  for (; at < lines.length && lines[at] !== ""; at++) {
    const line = lines[at]!;
    const [, field, value = ""] = FIELD.exec(line) ?? [];
    if (field !== undefined) fields.push([field, value]);
    else if (/^[ \t]/.test(line) && fields.length > 0) fields.at(-1)![1] += ` ${line.trim()}`;
    // No header at all: a text.
    else return { fields: [], text: written };
  }
  return { fields, text: lines.slice(at + 1).join("\n") };
}

const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** The user's, where that can stand in an address; each domain has a postmaster (RFC 5321 §4.5.1). */
function domainOf({ template: { serverName }, user }: WarningFacts): string {
  const domain = user.includes("@") ? user.slice(user.lastIndexOf("@") + 1) : serverName;
  return [domain, serverName].find((name) => DOMAIN.test(name)) ?? "localhost";
}

const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;

/** The user's address; a group of nobody where the name can be none without RFC 6532. */
function recipientOf({ user }: WarningFacts, domain: string): string {
  const at = user.lastIndexOf("@");
  const local = at < 0 ? user : user.slice(0, at);
  const isAddress = at < 0 || user.slice(at + 1) === domain;
  if (!isAddress || !/^[\x20-\x7e]{1,64}$/.test(local)) return "undisclosed-recipients:;";
  if (DOT_ATOM.test(local)) return `${local}@${domain}`;
  return `"${local.replace(/["\\]/g, "\\$&")}"@${domain}`;
}
