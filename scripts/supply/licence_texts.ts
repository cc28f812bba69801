/**
 * The licence's text of a package as its maintainers wrote it, with the names of those who have the rights.
 *
 * *Knows* where packages keep that. *Does not know* which packages or licences there are.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type LockedPackage, PROJECT } from "./lock_file.ts";

const LICENCE_FILE = /^(?:licen[cs]e|copying|copyright|notice)[^/]*$/i;

/** Of packages that leave the choice, the file of the licence that popkeep takes. */
const CHOSEN: Readonly<Record<string, string>> = { "@zone-eu/mailsplit": "LICENSE.MIT" };

/**
 * The text of the package's licence files, or of its README's section on it.
 * @throws {Error} If the package has neither.
 */
export function licenceText({ name, folder }: LockedPackage): string {
  const path = `${PROJECT}${folder}`;
  const chosen = CHOSEN[name];
  const files = readdirSync(path).filter((file) =>
    chosen === undefined ? LICENCE_FILE.test(file) : file === chosen
  ).sort();
  const texts = files.map((file) => plainText(readFileSync(`${path}/${file}`, "utf8")));
  if (texts.length > 0) return [...new Set(texts)].join("\n\n");
  const readme = `${path}/README.md`;
  const text = existsSync(readme) ? readFileSync(readme, "utf8") : "";
  const section = /^#+ *licen[cs]e *\n([^]*?)(?=^#|$(?![^]))/im.exec(text)?.[1];
  if (section === undefined || !/permission/i.test(section)) {
    throw new Error(`${name} has no licence's text in ${folder}`);
  }
  return plainText(section);
}

/** With line ends of one kind, no spaces before them and no empty lines around it. */
function plainText(text: string): string {
  return text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n").replace(/[ \t]+$/gm, "")
    .replace(/^\n+|\n+$/g, "");
}
