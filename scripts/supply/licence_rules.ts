/**
 * Which licences the packages may have that popkeep is made of and with.
 *
 * *Knows* SPDX expressions. *Does not know* where packages and their licences come from.
 */

import parse from "spdx-expression-parse";

/** What may be in the executable: licences that ask for no more than that their text goes with it. */
const INSIDE: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "MIT-0",
]);

/** What tools may have besides: they are run here and handed on to nobody. */
const TOOLS_ALSO: ReadonlySet<string> = new Set(["BlueOak-1.0.0", "CC-BY-3.0", "CC0-1.0"]);

/** A part of a parsed SPDX expression, as spdx-expression-parse gives it. */
type Expression =
  | { readonly license: string; readonly plus?: true; readonly exception?: string }
  | { readonly left: Expression; readonly conjunction: "and" | "or"; readonly right: Expression };

/**
 * What is wrong with a package's licence, as a sentence, or undefined if it may be used.
 * An exception ("WITH ...") is read by a person before it is allowed, so it is refused here.
 */
export function licenceFault(
  licence: string | undefined,
  { isTool }: { readonly isTool: boolean },
): string | undefined {
  if (licence === undefined || licence === "") return "It says no licence.";
  let expression: Expression;
  try {
    expression = parse(licence) as Expression;
  } catch {
    return `"${licence}" is no licence that SPDX knows.`;
  }
  const mayHave = (name: string) => INSIDE.has(name) || isTool && TOOLS_ALSO.has(name);
  return isAllowed(expression, mayHave) ? undefined : `"${licence}" is not among those allowed.`;
}

function isAllowed(expression: Expression, mayHave: (licence: string) => boolean): boolean {
  if ("conjunction" in expression) {
    const left = isAllowed(expression.left, mayHave);
    const right = isAllowed(expression.right, mayHave);
    return expression.conjunction === "or" ? left || right : left && right;
  }
  return expression.exception === undefined && mayHave(expression.license);
}
