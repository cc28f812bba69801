/**
 * `popkeep mailbox repair`: does what `mailbox check` says that it would, and says what it did.
 *
 * The plan is shown first, whole. Then the mailbox is checked again, and each finding is mended when it is made, so
 * that what is changed is what is there at that time. Killed at any step it leaves a mailbox with fewer faults; the
 * files of src/upkeep say what each step leaves.
 *
 * As root it first gives to their owner what belongs to another, holding each file open, and then becomes the user
 * whom the settings name for all else.
 */

import { Command } from "commander";
import { configureLog } from "../admin/log.ts";
import { isRoot } from "../platform/privileges.ts";
import { findSystemUser } from "../platform/system_users.ts";
import type { Settings } from "../settings.ts";
import { type Finding, pathText } from "../upkeep/finding.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { FindingLines, type Told } from "./finding_lines.ts";
import { becomeMailUser } from "./leave_root.ts";
import type { ListOptions } from "./listing.ts";
import { counted, findingsOf, summary } from "./mailbox_check.ts";
import { about, type MailboxPlace, mailboxPlaces } from "./mailbox_places.ts";
import { printAside, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

interface RepairOptions extends ConfigOptions, ListOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly content: boolean;
}

export function mailboxRepairCommand(): Command {
  const command = new Command("repair")
    .description("mend what mailbox check finds; no message is ever removed or changed")
    .argument("[user]", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--all", "all users that can be listed")
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--no-content", "do not read the messages: names, sizes and permissions alone")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
One of a user and --all is needed. What will be done is shown first, on standard error; then what
was done, and what is left. A server may run, and mail may come and go. It exits with 0 if nothing
is left but notes, with 65 if errors or warnings are, and with 74 if something could not be done.`,
    )
    .action(repair);
  return withExample(command, "popkeep mailbox repair alice@example.com --dry-run");
}

async function repair(user: string | undefined, options: RepairOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  // Root who is told nobody learns that before all mailboxes are read.
  if (isRoot() && settings.user === "" && options.dryRun !== true) becomeMailUser(settings);
  configureLog({ ...settings, logLevel: "error" });
  const { places, troubles, remarks } = await mailboxPlaces(user, options.all, settings);
  await printErrors(remarks);
  const run = new RepairRun(places, settings, options.content);
  if (options.dryRun === true) return await showPlan(run, options, troubles);
  await printAside(await run.plan());
  const lines = new FindingLines(options);
  const staysRoot = isRoot() && findSystemUser(settings.user)?.userId === 0;
  if (isRoot() && !staysRoot) {
    await run.mend(lines, (finding) => needsRoot(finding));
    becomeMailUser(settings);
  }
  await run.mend(lines, (finding) => staysRoot || !needsRoot(finding), true);
  await lines.end();
  endSoon();
  tellEnd(run, troubles);
}

function needsRoot({ repair }: Finding): boolean {
  return typeof repair !== "string" && repair.needsRoot === true;
}

async function showPlan(
  run: RepairRun,
  options: RepairOptions,
  troubles: readonly string[],
): Promise<void> {
  const lines = new FindingLines(options);
  await run.each((user, finding) => lines.show({ user, finding }));
  await lines.end();
  endSoon();
  const failures = [...troubles, ...run.troubles];
  const last = `${summary(lines)}; nothing was changed`;
  if (failures.length > 0) throw new Failure(ExitCode.inputOutput, [...failures, last]);
  const { error, warning } = lines.counts;
  if (error + warning > 0) throw new Failure(ExitCode.badData, last);
  await printErrors([last]);
}

/** @throws {Failure} Unless all is well now. */
function tellEnd(run: RepairRun, troubles: readonly string[]): void {
  const { repaired, left, failed } = run;
  const text = [
    `${repaired} repaired`,
    counted(left, "fault")?.concat(" left"),
    counted(failed, "repair")?.concat(" failed"),
  ].filter((part) => part !== undefined).join(", ");
  const failures = [...troubles, ...run.troubles];
  if (failures.length + failed > 0) throw new Failure(ExitCode.inputOutput, [...failures, text]);
  if (left > 0) throw new Failure(ExitCode.badData, text);
  void printErrors([text]);
}

/** One run over all mailboxes, which looks at them several times. */
class RepairRun {
  repaired = 0;
  /** Errors and warnings that are still there. */
  left = 0;
  failed = 0;
  /** Mailboxes that cannot be looked at, by user. */
  readonly #troubles = new Map<string, string>();
  readonly #places: readonly MailboxPlace[];
  readonly #settings: Settings;
  readonly #reads: boolean;

  constructor(places: readonly MailboxPlace[], settings: Settings, reads: boolean) {
    this.#places = places;
    this.#settings = settings;
    this.#reads = reads;
  }

  get troubles(): readonly string[] {
    return [...this.#troubles.values()];
  }

  /** Has `work` done for each finding of each mailbox. */
  async each(work: (user: string, finding: Finding) => Promise<void>): Promise<void> {
    const progress = new ProgressLine();
    this.#troubles.clear();
    for (const place of this.#places) {
      const { user } = place.account;
      const reading = { reads: this.#reads, progress };
      try {
        for await (const finding of findingsOf(place, this.#settings, reading)) {
          progress.clear();
          await work(user, finding);
        }
      } catch (error) {
        this.#troubles.set(user, about(user, error));
      }
    }
    progress.clear();
  }

  /** What will be done, in lines; the lines come while mailboxes are looked at. */
  async plan(): Promise<string> {
    let planned = 0;
    await this.each(async (user, { path, repair }) => {
      if (typeof repair === "string") return;
      planned++;
      await printErrors([planText(user, path, repair.what)]);
    });
    return planned === 0 ? "popkeep: there is nothing to repair\n" : "";
  }

  /**
   * Mends those findings that `mayMend` says, and shows what became of them.
   *
   * @param isLast whether what is left is left for good, and shown.
   */
  async mend(
    lines: FindingLines,
    mayMend: (finding: Finding) => boolean,
    isLast = false,
  ): Promise<void> {
    await this.each(async (user, finding) => {
      const told = await this.#mendOne(user, finding, mayMend(finding));
      if (told.mending !== "left" || isLast && finding.severity !== "note") await lines.show(told);
      if (told.mending === "left" && isLast && finding.severity !== "note") this.left++;
    });
  }

  async #mendOne(user: string, finding: Finding, isAllowed: boolean): Promise<Told> {
    const { repair } = finding;
    if (typeof repair === "string") return { user, finding, mending: "left", why: repair };
    if (!isAllowed) return { user, finding, mending: "left", why: "only root can do this" };
    try {
      const isDone = await repair.run();
      if (isDone) this.repaired++;
      return { user, finding, mending: isDone ? "repaired" : "nothing to do" };
    } catch (error) {
      this.failed++;
      const why = error instanceof Error ? error.message : String(error);
      return { user, finding, mending: "failed", why };
    }
  }
}

function planText(user: string, path: string, what: string): string {
  return printable(`will repair ${user}, ${pathText(path)}: ${what}`);
}
