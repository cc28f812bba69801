/**
 * Dovecot's variables that name a user: what fields of a directory's entry may hold. Pure.
 *
 * `%u` and `%{user}` are the whole name, `%n` and `%{username}` what stands before its first `@`, `%d` and
 * `%{domain}` what stands behind it, `%h` and `%{home}` the home; `L` or `U` before a letter makes it
 * lower or upper case; `%%` is `%`.
 */

/** What the variables stand for; one that is undefined cannot be put in. */
export interface UserVariables {
  readonly user: string | undefined;
  readonly local: string | undefined;
  readonly domain: string | undefined;
  readonly home: string | undefined;
}

export function userVariables(user: string, home?: string): UserVariables {
  const at = user.indexOf("@");
  return {
    user,
    local: at < 0 ? user : user.slice(0, at),
    domain: at < 0 ? "" : user.slice(at + 1),
    home,
  };
}

const VARIABLE = /%([LU]?)([undh]|\{[a-z]*\}|%|)/g;

/** The text with its variables put in; undefined if it has others, or some that stand for nothing. */
export function expandUserVariables(text: string, variables: UserVariables): string | undefined {
  if (!text.includes("%")) return text;
  const { user, local, domain, home } = variables;
  const values: Readonly<Record<string, string | undefined>> = {
    "%": "%",
    u: user,
    n: local,
    d: domain,
    h: home,
    "{user}": user,
    "{username}": local,
    "{domain}": domain,
    "{home}": home,
  };
  let complete = true;
  const expanded = text.replace(VARIABLE, (_, letterCase: string, name: string) => {
    const value = values[name];
    if (value === undefined) complete = false;
    if (letterCase === "L") return value?.toLowerCase() ?? "";
    if (letterCase === "U") return value?.toUpperCase() ?? "";
    return value ?? "";
  });
  return complete ? expanded : undefined;
}
