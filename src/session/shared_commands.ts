/** The commands that are the same in AUTHORIZATION and TRANSACTION: CAPA and LANG. */

import { text } from "../wire/command.ts";
import { fit } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";
import { capabilities } from "./capabilities.ts";
import type { CommandEntry } from "./command_table.ts";
import type { Conversation } from "./conversation.ts";
import { LANGUAGES, lookUpLanguage, say } from "./languages.ts";
import { linesBody } from "./listing.ts";
import { DONE, FAULTS } from "./replies.ts";

interface Conversing {
  readonly conversation: Conversation;
}

function capa({ conversation }: Conversing): Answer | Promise<Answer> {
  const answer = () =>
    conversation.okMultiLine(DONE.capabilitiesFollow, linesBody(capabilities(conversation)));
  return conversation.services.freshen?.()?.then(answer) ?? answer();
}

/** RFC 6856 §3: the tag selected stands between "+OK " and the text, which is in that language. */
function lang({ conversation }: Conversing, [range]: readonly Uint8Array[]): Answer {
  if (range === undefined) {
    const listing = LANGUAGES.map(([tag, name]) => `${tag} ${name}`);
    return conversation.okMultiLine(DONE.languagesFollow, linesBody(listing));
  }
  const tag = lookUpLanguage(text(range));
  if (tag === undefined) return conversation.err(FAULTS.unknownLanguage);
  conversation.language = tag;
  return { line: fit(`+OK ${tag} ${say(tag, DONE.languageSet)}`), next: "read" };
}

export const SHARED_COMMANDS: readonly (readonly [string, CommandEntry<Conversing>])[] = [
  ["CAPA", { arity: [0, 0], run: capa }],
  ["LANG", { arity: [0, 1], run: lang }],
];
