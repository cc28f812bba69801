/** The rules of src/maildir/unique_id_list.ts once more, by fields and patterns, a character an octet. */

export interface PlainRow {
  readonly id: number;
  storedOctets: number;
  exactOctets: number | undefined;
  readonly carried: string | undefined;
  readonly name: string;
  removed: boolean;
  missingSinceS: number | undefined;
}

export class PlainUniqueIdList {
  readonly rows: PlainRow[] = [];
  next = 1;

  /** Takes one line after the header; false if it is none. */
  apply(line: string): boolean {
    const [kind, ...fields] = line.split(" ");
    switch (kind) {
      case "+":
        return this.#message(fields);
      case "=":
        return this.#sizes(fields);
      case "-":
        return fields.length === 1 && this.#note(fields[0], (row) => row.removed = true);
      case "?": {
        const since = number(fields[1]);
        if (fields.length !== 2 || since === undefined) return false;
        return this.#note(fields[0], (row) => row.missingSinceS = since);
      }
      case "next": {
        const next = number(fields[0], Number.MAX_SAFE_INTEGER);
        if (fields.length !== 1 || next === undefined) return false;
        this.next = Math.max(this.next, next);
        return true;
      }
      default:
        return false;
    }
  }

  #message([first, second, third, fourth = "", last = "", ...more]: string[]): boolean {
    const id = number(first);
    const storedOctets = number(second);
    const exactOctets = third === "-" ? undefined : number(third);
    const carried = fourth === "-" ? undefined : unescaped(fourth);
    const name = unescaped(last);
    if (id === undefined || storedOctets === undefined || more.length > 0) return false;
    if (third !== "-" && exactOctets === undefined) return false;
    if (fourth !== "-" && !/^[\x21-\x7e]{1,70}$/.test(carried ?? "")) return false;
    if (name === undefined || name === "" || name.startsWith(".") || name.includes("/")) {
      return false;
    }
    this.#raise(id);
    const known = this.rows.findLast((row) => row.name === name);
    const isVoid = name.length > 255 || id <= (this.rows.at(-1)?.id ?? -1) ||
      known !== undefined && !known.removed;
    if (!isVoid) {
      const missingSinceS = undefined;
      this.rows.push({
        id,
        storedOctets,
        exactOctets,
        carried,
        name,
        removed: false,
        missingSinceS,
      });
    }
    return true;
  }

  #sizes([first, second, third, ...more]: string[]): boolean {
    const storedOctets = number(second);
    const exactOctets = third === "-" ? undefined : number(third);
    if (storedOctets === undefined || more.length > 0) return false;
    if (third !== "-" && exactOctets === undefined) return false;
    return this.#note(first, (row) => Object.assign(row, { storedOctets, exactOctets }));
  }

  #note(field: string | undefined, change: (row: PlainRow) => unknown): boolean {
    const id = number(field);
    if (id === undefined) return false;
    this.#raise(id);
    const row = this.rows.find((row) => row.id === id);
    if (row !== undefined) change(row);
    return true;
  }

  #raise(id: number): void {
    this.next = Math.max(this.next, id + 1);
  }
}

function number(field: string | undefined, most = Number.MAX_SAFE_INTEGER - 1): number | undefined {
  if (field === undefined || !/^[0-9]{1,16}$/.test(field)) return undefined;
  return Number(field) <= most ? Number(field) : undefined;
}

function unescaped(field: string): string | undefined {
  if (/%(?![0-9A-F]{2})/.test(field)) return undefined;
  return field.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
