/**
 * Shows findings of a check one by one, as they come: sentences at a terminal, a line of tab-separated cells each in
 * a pipe, a JSON array when asked. There may be any number of them.
 *
 * *Knows*: findings. *Does not know*: mailboxes.
 */

import { type Finding, pathText, type Severity } from "../upkeep/finding.ts";
import { mayColour, print, terminalColumns } from "./output.ts";
import { printable, printableJson } from "./printable.ts";

/** What became of a finding that repair was to mend. */
export type Mending = "repaired" | "nothing to do" | "left" | "failed";

export interface Told {
  readonly user: string;
  readonly finding: Finding;
  /** Undefined where nothing was to be done. */
  readonly mending?: Mending | undefined;
  /** Why it failed, or why it is left. */
  readonly why?: string | undefined;
}

const COLOURS: Readonly<Record<Severity, string>> = { error: "31", warning: "33", note: "2" };

/** Counts what it shows. */
export class FindingLines {
  readonly counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  /** Of those, how many repair would do something about, or has. */
  mendable = 0;
  readonly #json: boolean;
  readonly #isTerminal = terminalColumns() !== undefined;
  #shown = 0;
  #user: string | undefined;

  constructor({ json = false }: { readonly json?: boolean }) {
    this.#json = json;
  }

  async show(told: Told): Promise<void> {
    const { finding } = told;
    this.counts[finding.severity]++;
    if (typeof finding.repair !== "string") this.mendable++;
    const isFirst = this.#shown++ === 0;
    if (this.#json) {
      await print(`${isFirst ? "[" : ","}\n${indented(printableJson(valuesOf(told)))}`);
    } else if (this.#isTerminal) await print(this.#sentences(told));
    else await print(cellsOf(told).join("\t") + "\n");
  }

  /** To be called when all are shown. */
  async end(): Promise<void> {
    if (this.#json) await print(this.#shown === 0 ? "[]\n" : "\n]\n");
  }

  #sentences(told: Told): string {
    const { user, finding, mending } = told;
    const { kind, path, reason, severity } = finding;
    const heading = user === this.#user ? "" : `${printable(user)}\n`;
    this.#user = user;
    const title = mayColour() ? `\x1b[${COLOURS[severity]}m${severity}\x1b[0m` : severity;
    const pad = " ".repeat("warning".length - severity.length);
    const outcome = mending === undefined ? becomes(finding) : outcomeOf(told);
    return `${heading}  ${title}${pad}  ${printable(pathText(path))}: ${printable(reason)}  ` +
      `[${kind}]\n           ${printable(outcome)}\n`;
  }
}

/** What repair would do about a finding, in words. */
function becomes({ repair }: Finding): string {
  if (typeof repair === "string") return `repair leaves this: ${repair}`;
  return `repair would ${repair.what}${repair.needsRoot === true ? ", if root runs it" : ""}`;
}

function outcomeOf({ finding: { repair }, mending, why }: Told): string {
  const what = typeof repair === "string" ? repair : repair.what;
  if (mending === "repaired") return `repaired: ${what}`;
  if (mending === "nothing to do") return `nothing to do any more: ${what}`;
  return `${mending}: ${why ?? what}`;
}

function cellsOf(told: Told): string[] {
  const { user, finding, mending } = told;
  const { kind, path, reason, severity } = finding;
  const outcome = mending === undefined ? becomes(finding) : outcomeOf(told);
  return [user, severity, kind, pathText(path), reason, outcome].map(printable);
}

function valuesOf({ user, finding, mending, why }: Told): unknown {
  const { kind, path, reason, repair, severity } = finding;
  const isLeft = typeof repair === "string";
  return {
    user,
    severity,
    kind,
    path: pathText(path),
    reason,
    repair: isLeft ? null : repair.what,
    needsRoot: !isLeft && repair.needsRoot === true,
    leftBecause: isLeft ? repair : null,
    ...(mending === undefined ? {} : { outcome: mending, ...(why === undefined ? {} : { why }) }),
  };
}

function indented(json: string): string {
  return json.trimEnd().replace(/^/gm, "  ");
}
