/**
 * Texts of the settings into which a user's name is put: `{user}` is the name whole, `{local}` what stands
 * before its last `@`, `{domain}` what stands after it, "" where there is none.
 *
 * *Knows* names. *Does not know* what the text is, so whoever fills one says how a value is escaped.
 */

export interface NameParts {
  readonly user: string;
  readonly local: string;
  readonly domain: string;
}

export type Variable = keyof NameParts;

/** Anything in braces, so that a misspelt variable is found and not taken for text. */
const BRACES = /\{([^{}]*)\}/g;

const VARIABLES: ReadonlySet<string> = new Set(["user", "local", "domain"]);

export function partsOf(user: string): NameParts {
  const at = user.lastIndexOf("@");
  if (at < 0) return { user, local: user, domain: "" };
  return { user, local: user.slice(0, at), domain: user.slice(at + 1) };
}

export function isVariable(word: string): word is Variable {
  return VARIABLES.has(word);
}

/** Which variables stand in it, in their order, as often as they do. */
export function variablesIn(template: string): Variable[] {
  return Array.from(template.matchAll(BRACES), ([, word = ""]) => word).filter(isVariable);
}

/** Says what is wrong with a template, as a sentence that begins with its setting's name goes on. */
export function faultOfTemplate(template: string): string | undefined {
  for (const [, word = ""] of template.matchAll(BRACES)) {
    if (!isVariable(word)) {
      return `knows no variable "{${word}}"; there are {user}, {local}, {domain}`;
    }
  }
  return undefined;
}

/** Puts the parts in, each as `escape` writes it. What is put in is not looked at again. */
export function fillTemplate(
  template: string,
  parts: NameParts,
  escape: (value: string) => string,
): string {
  return template.replace(
    BRACES,
    (braces: string, word: string) => isVariable(word) ? escape(parts[word]) : braces,
  );
}
