/** Reading command lines: keywords, separators, and what is no command. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  type Command,
  type CommandFault,
  parseCommand,
  splitArguments,
  text,
} from "../../../src/wire/command.ts";

function parse(line: string): Command | CommandFault {
  return parseCommand(Buffer.from(line, "latin1"));
}

const COMMANDS: readonly [string, string, ...string[]][] = [
  ["STAT", "STAT"],
  ["stat", "STAT"],
  ["sTaT", "STAT"],
  ["UTF8", "UTF8"],
  ["RETR 1", "RETR", "1"],
  ["RETR\t1", "RETR", "1"],
  ["RETR  \t 1", "RETR", "1"],
  ["RETR 1 ", "RETR", "1"],
  ["RETR 1\t \t", "RETR", "1"],
  ["TOP 1 2", "TOP", "1", "2"],
  ["TOP\t\t1  2", "TOP", "1", "2"],
  ["AUTH ", "AUTH"],
  ["USER j\xfcrgen", "USER", "j\xfcrgen"],
  ["USER a:b", "USER", "a:b"],
];

for (const [line, keyword, ...args] of COMMANDS) {
  test(`${JSON.stringify(line)} is ${keyword} with ${args.length} arguments`, () => {
    const command = parse(line);
    assert.ok("keyword" in command);
    assert.equal(command.keyword, keyword);
    assert.deepEqual(splitArguments(command).map(text), args);
  });
}

const RESTS: readonly [string, string | undefined][] = [
  ["PASS", undefined],
  ["PASS ", ""],
  ["PASS secret", "secret"],
  ["PASS\tsecret", "secret"],
  ["PASS  secret", " secret"],
  ["PASS \tse cret\t ", "\tse cret\t "],
  ["PASS p\xc3\xa4ss", "p\xc3\xa4ss"],
];

for (const [line, rest] of RESTS) {
  test(`behind one separator of ${JSON.stringify(line)} stands ${JSON.stringify(rest)}`, () => {
    const command = parse(line);
    assert.ok("keyword" in command);
    assert.equal(command.rest === undefined ? undefined : text(command.rest), rest);
  });
}

const FAULTS: readonly [string, CommandFault["fault"]][] = [
  ["", "empty"],
  [" ", "keyword"],
  [" STAT", "keyword"],
  ["\tSTAT", "keyword"],
  [":", "keyword"],
  ["ST:AT", "keyword"],
  ["ST\xc4T", "keyword"],
  ["STAT\0", "octets"],
  ["DELE\0 1", "octets"],
  ["NOOP \0DELE 1", "octets"],
  ["STAT\r", "octets"],
  ["PASS a\rb", "octets"],
  ["\x16\x03\x01", "keyword"],
];

for (const [line, fault] of FAULTS) {
  test(`${JSON.stringify(line)} is no command`, () => {
    assert.deepEqual(parse(line), { fault });
  });
}
