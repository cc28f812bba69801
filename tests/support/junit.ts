/**
 * Reads the JUnit reports that `bun test` and `deno test` write: which tests ran, and how they ended.
 *
 * *Knows* the two dialects. *Does not know* how tests are run.
 */

export interface TestResult {
  readonly name: string;
  readonly file: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What the runner said about a failure; "" otherwise. */
  readonly message: string;
}

/** All tests of a report, in its order. */
export function parseJunit(xml: string): TestResult[] {
  const results = [...xml.matchAll(/<testcase\s([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g)]
    .map(([, attributes, content]) => {
      const outcome = /<(failure|error)\b/.test(content ?? "")
        ? "failed" as const
        : /<skipped\b/.test(content ?? "")
        ? "skipped" as const
        : "passed" as const;
      return {
        name: attribute(attributes!, "name"),
        file: attribute(attributes!, "file") || attribute(attributes!, "classname"),
        outcome,
        message: outcome === "failed" ? failureText(content!) : "",
      };
    });
  // Deno lists a describe block as a test of its own beside the tests in it.
  const groups = new Set(
    results.filter(({ name }) => name.includes(" > ")).map(({ name }) => name.split(" > ")[0]),
  );
  return results.filter(({ name }) => !groups.has(name));
}

function attribute(attributes: string, name: string): string {
  return decodeEntities(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function failureText(content: string): string {
  const [, attributes = "", text = ""] =
    /<(?:failure|error)\b([^>]*?)(?:\/>|>([^]*?)<\/(?:failure|error)>)/.exec(content) ?? [];
  return decodeEntities(text).trim() || attribute(attributes, "message");
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}
