/**
 * The licences of what is in the executable beside popkeep itself.
 *
 * *Knows* the file that `make licences` writes. *Does not know* packages.
 */

/** The texts as they are to be handed on with the executable; read only when somebody asks for them. */
export async function licencesText(): Promise<string> {
  const file = await import("../../THIRD_PARTY_LICENSES.txt", { with: { type: "text" } });
  return file.default;
}
