/** The folder that all mail is in, as the setting `maildir` names it. Pure. */

/**
 * The folder that the template names before its first variable; undefined when it begins with {home}.
 * It has to be there: when it is not, a disk may be missing, and no mailbox is taken to be empty.
 */
export function fixedFolderOf(template: string): string | undefined {
  const variable = template.indexOf("{");
  const fixed = variable < 0 ? template : template.slice(0, variable);
  const folder = fixed.slice(0, fixed.lastIndexOf("/"));
  return fixed === "" ? undefined : folder === "" ? "/" : folder;
}
