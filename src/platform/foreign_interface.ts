/**
 * How functions of C are declared and their values look, and what a runtime has to offer for them.
 *
 * *Does not know* any runtime.
 */

/**
 * How a value is handed over.
 * - `pointer`: an address, 0n for NULL.
 * - `buffer`: the octets of an array, for the time of the call only. The callee may write to them.
 * - `size`: `size_t`, as a number.
 */
export type ArgumentKind = "pointer" | "buffer" | "i32" | "u32" | "u64" | "size";

/** `none` is `void`. */
export type ResultKind = Exclude<ArgumentKind, "buffer"> | "none";

export interface Declaration {
  readonly takes: readonly ArgumentKind[];
  readonly gives: ResultKind;
}

export type Declarations = Readonly<Record<string, Declaration>>;

/** What stands for a value of a kind in JavaScript. */
export interface ValueOf {
  readonly pointer: bigint;
  readonly buffer: Uint8Array;
  readonly i32: number;
  readonly u32: number;
  readonly u64: bigint;
  readonly size: number;
  readonly none: void;
}

/** The values of a list of kinds. */
export type ValuesOf<Kinds extends readonly ArgumentKind[]> = {
  -readonly [I in keyof Kinds]: ValueOf[Kinds[I]];
};

export type Functions<D extends Declarations> = {
  readonly [Name in keyof D]: (...values: ValuesOf<D[Name]["takes"]>) => ValueOf[D[Name]["gives"]];
};

export interface Library<D extends Declarations> {
  /** The name by which it was found. */
  readonly name: string;
  readonly functions: Functions<D>;
  /** No function of it may be called afterwards. */
  close(): void;
}

/** How a function of ours looks to C. */
export interface CallbackDeclaration {
  readonly takes: readonly Exclude<ArgumentKind, "buffer">[];
  readonly gives: ResultKind;
}

/** A function of ours that C can call. */
export interface Callback {
  readonly address: bigint;
  /** Nobody may call it afterwards. */
  close(): void;
}

/** What one runtime has to offer; the values of calls are as in `ValueOf`. */
export interface ForeignInterface {
  open(name: string, declarations: Declarations): {
    readonly functions: Readonly<Record<string, (...values: never[]) => unknown>>;
    close(): void;
  };
  addressOf(octets: Uint8Array): bigint;
  /** A copy. */
  readMemory(address: bigint, octets: number): Uint8Array;
  /** The memory itself, which must stay where it is for as long as the process runs. */
  memoryAt(address: bigint, octets: number): ArrayBuffer;
  /** Values come as the runtime has them: a number or a bigint. */
  openCallback(
    declaration: CallbackDeclaration,
    call: (...values: (number | bigint)[]) => number | bigint | void,
  ): Callback;
}
