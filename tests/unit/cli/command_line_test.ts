/** The command line as a whole: what it says of itself, and how it fails. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import type { Command } from "commander";
import { ExitCode, exitCodeMeanings } from "../../../src/cli/exit_codes.ts";
import { program } from "../../../src/cli/program.ts";
import { allCommands } from "../../../src/cli/top_command.ts";
import { VERSION } from "../../../src/cli/version.ts";
import { popkeep, popkeepCommand } from "../../support/command_line.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-cli-`);
after(() => rmSync(folder, { recursive: true }));

function documentText(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => help += text }).outputHelp();
  return help;
}

/** "user add", "serve": what stands after popkeep; "" for popkeep itself. */
function nameOf(command: Command): string {
  return command.parent === null ? "" : `${nameOf(command.parent)} ${command.name()}`.trim();
}

test("every command's help has a description and an example that runs popkeep", () => {
  const commands = allCommands(program());
  ok(commands.length > 15);
  for (const command of commands) {
    ok(command.description() !== "", nameOf(command));
    const [, examples = ""] = helpOf(command).split(/^Examples?:\n/m);
    ok(examples.includes(`popkeep ${nameOf(command).split(" ")[0]}`), nameOf(command));
  }
});

test("the help of popkeep and both documents name every exit code with its meaning", () => {
  const help = helpOf(program());
  const page = documentText("docs/command-line.md");
  const manual = documentText("share/popkeep.1");
  for (const [name, meaning] of Object.entries(exitCodeMeanings)) {
    const code = ExitCode[name as keyof typeof ExitCode];
    ok(new RegExp(`^ +${code}  `, "m").test(help), String(code));
    ok(new RegExp(`^\\| ${code} +\\| `, "m").test(page), String(code));
    ok(manual.includes(`\n.B ${code}\n`), String(code));
    ok(help.includes(meaning), meaning);
    const [beginning = ""] = meaning.split(/[,;(]/);
    ok(page.includes(beginning.trim()), meaning);
    ok(manual.toLowerCase().includes(beginning.trim().toLowerCase()), meaning);
  }
});

test("the manual page and docs/command-line.md name every command and every option", () => {
  const page = documentText("docs/command-line.md");
  const manual = documentText("share/popkeep.1").replaceAll("\\-", "-");
  for (const command of allCommands(program())) {
    const isGroup = command.commands.length > 0;
    const name = nameOf(command);
    if (!isGroup) {
      ok(manual.includes(`\n.B popkeep ${name}\n`), name);
      ok(manual.includes(`\n.B ${name}\n`), name);
      ok(page.includes(`\`popkeep ${name}`), name);
    }
    for (const option of command.options) {
      ok(manual.includes(`${option.long}`), `${name} ${option.long}`);
      ok(page.includes(`${option.long}`), `${name} ${option.long}`);
    }
  }
});

test("the systemd unit starts, reloads and stops popkeep as the manual says", () => {
  const unit = documentText("share/popkeep.service");
  const [, start = ""] = /^ExecStart=\S+\/popkeep (.*)$/m.exec(unit) ?? [];
  const serve = allCommands(program()).find((command) => nameOf(command) === "serve");
  const [name, ...options] = start.split(" ");
  strictEqual(name, "serve");
  deepStrictEqual(serve?.parseOptions(options).unknown, []);
  ok(unit.includes("\nExecReload=/bin/kill -HUP $MAINPID\n"));
  const [, codes = ""] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
  for (const code of codes.split(" ")) ok(Object.values<number>(ExitCode).includes(Number(code)));
});

test("popkeep without a command explains itself and says that the command line is wrong", async () => {
  const { exitCode, stdout, stderr } = await popkeep([], { folder });
  strictEqual(exitCode, 64);
  strictEqual(stdout, "");
  ok(stderr.startsWith("Usage: popkeep"));
});

test("help goes to standard output and is no failure", async () => {
  const { exitCode, stdout, stderr } = await popkeep(["user", "add", "--help"], { folder });
  strictEqual(exitCode, 0);
  strictEqual(stderr, "");
  ok(stdout.startsWith("Usage: popkeep user add"));
});

test("help goes as deep as the commands do", async () => {
  for (const words of [[], ["mailbox"], ["mailbox", "show"], ["help"]]) {
    const { exitCode, stdout } = await popkeep(["help", ...words], { folder });
    strictEqual(exitCode, 0);
    ok(stdout.startsWith(["Usage: popkeep", ...words].join(" ")), stdout);
  }
});

test("the version is that of the package", async () => {
  const short = await popkeep(["--version"], { folder });
  deepStrictEqual(short, { exitCode: 0, stdout: `${VERSION}\n`, stderr: "" });
  const long = await popkeep(["version"], { folder });
  strictEqual(long.exitCode, 0);
  ok(/^popkeep \d+\.\d+\.\d+ \((?:Bun|Deno) \S+, linux \S+\)\n$/.test(long.stdout), long.stdout);
  ok(JSON.parse(documentText("package.json")).version === VERSION);
});

test("the licences are printed as they are handed on with the executable, to the last letter", async () => {
  const { exitCode, stdout, stderr } = await popkeep(["version", "--licenses"], { folder });
  deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  ok(stdout === documentText("THIRD_PARTY_LICENSES.txt"));
});

test("a command line that is wrong exits 64 with one sentence", async () => {
  const wrong: [args: string[], sentence: RegExp][] = [
    [["serv"], /^popkeep: unknown command 'serv' \(Did you mean serve\?\); see popkeep --help\n$/],
    [["user", "add"], /^popkeep: missing required argument 'user'; see popkeep user add --help\n$/],
    [["config", "check", "--jsn"], /^popkeep: unknown option '--jsn'; see popkeep config check/],
    [["help", "nonsense"], /^popkeep: there is no command nonsense; see popkeep --help\n$/],
    [["help", "user", "nonsense"], /^popkeep: there is no command user nonsense; see [^\n]*\n$/],
    [["version", "now"], /^popkeep: too many arguments[^\n]*\n$/],
  ];
  for (const [args, sentence] of wrong) {
    const { exitCode, stdout, stderr } = await popkeep(args, { folder });
    strictEqual(exitCode, 64, args.join(" "));
    strictEqual(stdout, "");
    ok(sentence.test(stderr), stderr);
  }
});

test("without settings a command says where it looked and how to make some", async () => {
  const { exitCode, stderr } = await popkeep(["user", "list", "--config", "none.toml"], { folder });
  strictEqual(exitCode, 66);
  strictEqual(stderr, "popkeep: the settings file none.toml does not exist\n");
});

test("a folder in the place of the settings is a fault, not a crash", async () => {
  const { exitCode, stderr } = await popkeep(["config", "show", "--config", folder], { folder });
  strictEqual(exitCode, 78);
  ok(stderr.includes("found a file that is a folder"), stderr);
});

test("a reader that has seen enough is no failure", async () => {
  const [runtime, ...args] = [...popkeepCommand(), "config", "reference"];
  const child = spawn(runtime ?? "", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => stderr += chunk);
  const [exitCode] = await once(child, "close");
  deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
});
