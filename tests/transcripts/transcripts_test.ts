/**
 * Every dialogue of dialogues/, on every way it runs, in every manner of sending: in memory, and over
 * TCP, under TLS and after STLS against popkeep as a child process (the executable, if
 * POPKEEP_EXECUTABLE names one).
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunningServer, startServer } from "../support/server.ts";
import {
  type Cast,
  type Dialogue,
  octetsOf,
  parseDialogues,
  type Sending,
  type Way,
} from "./dialogue.ts";
import { play } from "./player.ts";
import { DEFAULT_SETTINGS, MemoryStage, ServerStage, type Stage } from "./stage.ts";

interface Performance {
  readonly dialogue: Dialogue;
  readonly way: Way;
  readonly sending: Sending;
  readonly cast: Cast;
}

const folder = fileURLToPath(new URL("./dialogues/", import.meta.url));
const againstExecutable = (process.env["POPKEEP_EXECUTABLE"] ?? "") !== "";

function performances(): Performance[] {
  const dialogues = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort()
    .flatMap((name) => parseDialogues(name, readFileSync(`${folder}${name}`, "utf8")));
  return dialogues.flatMap((dialogue, index) =>
    dialogue.ways.filter((way) => way !== "memory" || !againstExecutable).flatMap((way) =>
      dialogue.sendings.map((sending) => {
        // A user of its own for each performance: mailboxes are never shared.
        const user = `d${index}-${way}-${sending}`;
        const nobody = { user, password: "" };
        const password = octetsOf(dialogue.password, nobody).toString();
        return { dialogue, way, sending, cast: { user, password } };
      })
    )
  );
}

const all = performances();

/** One server for all dialogues that ask for the same settings, started when the first is played. */
const servers = new Map<string, Promise<RunningServer>>();

function serverFor(settings: string): Promise<RunningServer> {
  let server = servers.get(settings);
  if (server === undefined) {
    const users = all.filter(({ dialogue }) => dialogue.settings === settings)
      .map(({ cast }) => [cast.user, `{PLAIN}${cast.password}`] as const);
    const hasLoginType = settings.includes("login_type");
    server = startServer({
      settings: hasLoginType ? settings : `${DEFAULT_SETTINGS}\n${settings}`,
      users,
    });
    servers.set(settings, server);
  }
  return server;
}

after(async () => {
  for (const server of servers.values()) await (await server).stop();
});

async function stageFor({ dialogue, way, cast }: Performance): Promise<Stage> {
  if (way !== "memory") return new ServerStage(way, await serverFor(dialogue.settings));
  return new MemoryStage(dialogue.settings, new Map([[cast.user, cast.password]]));
}

for (const performance of all) {
  const { dialogue, way, sending, cast } = performance;
  test(`${dialogue.name} (${way}, ${sending})`, async () => {
    await play(dialogue, sending, await stageFor(performance), cast);
  });
}
