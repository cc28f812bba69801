/**
 * On which line each key of a TOML text stands, which the TOML parser does not tell.
 *
 * *Knows*: how TOML parts keys, values and comments. *Does not know*: what values mean; the parser has
 * accepted the text before, so nothing is checked here, and text that is no TOML gives some answer.
 *
 * A key's path is written as in a fault: `banner`, `certificates[0].key_file`, `ssl_bindings[1]`.
 */

/** The line of every key, array item and table header by its path; lines count from 1. */
export function keyLines(toml: string): Map<string, number> {
  return new Scan(toml).run();
}

/** Joins a key to the path of the table that it stands in. */
export function keyPath(table: string, key: string | number): string {
  if (typeof key === "number") return `${table}[${key}]`;
  return table === "" ? key : `${table}.${key}`;
}

class Scan {
  readonly #text: string;
  #at = 0;
  #line = 1;
  readonly #lines = new Map<string, number>();
  /** How many `[[name]]` headers there were, by path. */
  readonly #items = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  run(): Map<string, number> {
    let table = "";
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text[this.#at] === "[") table = this.#header();
      else this.#keyAndValue(table);
    }
    return this.#lines;
  }

  #header(): string {
    const isItem = this.#text.startsWith("[[", this.#at);
    this.#advance(isItem ? 2 : 1);
    let path = "";
    const keys = this.#keys();
    for (const [index, key] of keys.entries()) {
      path = keyPath(path, key);
      const isLast = index === keys.length - 1;
      if (isLast && isItem) this.#items.set(path, (this.#items.get(path) ?? 0) + 1);
      const items = this.#items.get(path);
      if (items === undefined) continue;
      this.#note(path);
      path = keyPath(path, items - 1);
    }
    this.#note(path);
    while (this.#text[this.#at] === "]") this.#advance(1);
    return path;
  }

  #keyAndValue(table: string): void {
    const before = this.#at;
    let path = table;
    const line = this.#line;
    for (const key of this.#keys()) {
      path = keyPath(path, key);
      this.#note(path, line);
    }
    this.#skipSpace();
    if (this.#text[this.#at] === "=") this.#advance(1);
    this.#value(path);
    if (this.#at === before) this.#advance(1); // only in a text that is no TOML: go on somehow
  }

  /** Reads a dotted key into its parts. */
  #keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#skipSpace();
      const quote = this.#text[this.#at];
      if (quote === '"' || quote === "'") {
        const start = this.#at;
        this.#string(quote);
        keys.push(unquoted(this.#text.slice(start, this.#at)));
      } else {
        keys.push(this.#take(/[A-Za-z0-9_-]*/y));
      }
      this.#skipSpace();
      if (this.#text[this.#at] !== ".") return keys;
      this.#advance(1);
    }
  }

  #value(path: string): void {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") this.#string(first);
    else if (first === "[") this.#list("]", (index) => this.#item(path, index));
    else if (first === "{") this.#list("}", () => this.#keyAndValue(path));
    else this.#take(/[^,\]}#\n]*/y);
  }

  #item(path: string, index: number): void {
    this.#note(keyPath(path, index));
    this.#value(keyPath(path, index));
  }

  #list(end: string, readItem: (index: number) => void): void {
    this.#advance(1);
    for (let index = 0;; index++) {
      this.#skipBlank();
      if (this.#text[this.#at] === end) return this.#advance(1);
      const before = this.#at;
      if (this.#at < this.#text.length) readItem(index);
      this.#skipBlank();
      if (this.#text[this.#at] === ",") this.#advance(1);
      if (this.#at === before) return;
    }
  }

  #string(quote: string): void {
    const long = quote.repeat(3);
    const end = this.#text.startsWith(long, this.#at) ? long : quote;
    this.#advance(end.length);
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#advance(quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1);
    }
    this.#advance(end.length);
    // A long string may end with one or two quotes of its own before the three that close it.
    while (end === long && this.#text[this.#at] === quote) this.#advance(1);
  }

  #note(path: string, line = this.#line): void {
    if (!this.#lines.has(path)) this.#lines.set(path, line);
  }

  #skipSpace(): void {
    this.#take(/[ \t]*/y);
  }

  /** Skips space, line ends and comments. */
  #skipBlank(): void {
    this.#take(/(?:[ \t\r\n]|#[^\n]*)*/y);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.#advance(taken.length);
    return taken;
  }

  #advance(count: number): void {
    const end = Math.min(this.#at + count, this.#text.length);
    for (; this.#at < end; this.#at++) {
      if (this.#text[this.#at] === "\n") this.#line++;
    }
  }
}

function unquoted(key: string): string {
  if (key.startsWith("'")) return key.slice(1, -1);
  try {
    return JSON.parse(key);
  } catch {
    return key.slice(1, -1); // an escape that only TOML has: the line is found by no path, and unnamed
  }
}
