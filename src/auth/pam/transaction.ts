/**
 * One transaction with PAM: from pam_start to pam_end, about one user.
 *
 * All of it blocks as long as the modules do, except for the delay after a failure: that one is the
 * application's to make, and popkeep makes its own without holding a thread.
 *
 * *Knows* pam(3). *Does not know* what its answers mean for a login.
 */

import {
  type Callback,
  foreignMemory,
  openCallback,
  readText,
} from "../../platform/foreign_functions.ts";
import { Conversation } from "./conversation.ts";
import {
  type CFunctions,
  openC,
  openPam,
  openPamCallbackItem,
  openPamOfFolder,
  PAM_CODES,
  PAM_FLAGS,
  PAM_ITEMS,
  type PamFunctions,
} from "./linux_pam.ts";
import { ADDRESS_OCTETS, addressAt, addressesMemory, textMemory } from "./memory.ts";

/** What modules such as pam_access and pam_time take for the terminal; Dovecot sets its name, too. */
const TERMINAL = "popkeep";

/** Of the library's own texts for its codes. */
const REASON_OCTETS = 256;

export interface TransactionOptions {
  readonly service: string;
  /** The folder of the service's file, in the place of /etc/pam.d. */
  readonly confdir?: string;
  readonly user: string;
  /** Undefined where nobody has given one, and only the account is looked at. */
  readonly password: Uint8Array | undefined;
  /** The client's. */
  readonly address: string | undefined;
}

/** The functions of the system that PAM takes; one set a thread. */
export class SystemFunctions {
  readonly c: CFunctions = openC();
  readonly pam: PamFunctions = openPam();
  readonly setCallback = openPamCallbackItem().pam_set_item;
  /** Does not wait. */
  readonly noDelay: Callback = openCallback(
    { takes: ["i32", "u32", "pointer"], gives: "none" },
    () => {},
  );
  #ofFolder: ReturnType<typeof openPamOfFolder> | undefined;

  /** Opened when it is first asked for, since older systems lack it. */
  get ofFolder(): ReturnType<typeof openPamOfFolder> {
    return this.#ofFolder ??= openPamOfFolder();
  }
}

export class Transaction {
  readonly #system: SystemFunctions;
  readonly #conversation: Conversation;
  readonly #handle: bigint;
  #lastCode: number = PAM_CODES.SUCCESS;

  /** @throws {Error} If PAM does not begin it. */
  constructor(system: SystemFunctions, options: TransactionOptions) {
    this.#system = system;
    this.#conversation = new Conversation(system.c, options.user, options.password);
    try {
      this.#handle = this.#start(options);
    } catch (error) {
      this.#conversation.close();
      throw error;
    }
    this.#set(PAM_ITEMS.TTY, TERMINAL);
    if (options.address !== undefined) this.#set(PAM_ITEMS.RHOST, options.address);
    system.setCallback(this.#handle, PAM_ITEMS.FAIL_DELAY, system.noDelay.address);
  }

  /** Whether any module has been told the password. */
  get askedForPassword(): boolean {
    return this.#conversation.askedForPassword;
  }

  /** The user, as the modules have it by now. */
  get user(): string {
    const item = addressesMemory([0n]);
    const code = this.#system.pam.pam_get_item(this.#handle, PAM_ITEMS.USER, item);
    return code === PAM_CODES.SUCCESS ? readText(addressAt(item, 0)) : "";
  }

  /** Has the modules find out whether the user is who he says; gives PAM's code. */
  authenticate(): number {
    this.#lastCode = this.#system.pam.pam_authenticate(this.#handle, PAM_FLAGS);
    return this.#lastCode;
  }

  /** Has the modules say whether the account may be used now; gives PAM's code. */
  checkAccount(): number {
    this.#lastCode = this.#system.pam.pam_acct_mgmt(this.#handle, PAM_FLAGS);
    return this.#lastCode;
  }

  /** PAM's own words for a code. */
  reason(code: number): string {
    return readText(this.#system.pam.pam_strerror(this.#handle, code), REASON_OCTETS);
  }

  end(): void {
    this.#system.pam.pam_end(this.#handle, this.#lastCode);
    this.#conversation.close();
  }

  #start({ service, confdir, user }: TransactionOptions): bigint {
    const handle = foreignMemory(ADDRESS_OCTETS);
    const conversation = addressesMemory([this.#conversation.address, 0n]);
    const [serviceText, userText] = [textMemory(service), textMemory(user)];
    const code = confdir === undefined
      ? this.#system.pam.pam_start(serviceText, userText, conversation, handle)
      : this.#system.ofFolder.pam_start_confdir(
        serviceText,
        userText,
        conversation,
        textMemory(confdir),
        handle,
      );
    if (code === PAM_CODES.SUCCESS) return addressAt(handle, 0);
    const reason = readText(this.#system.pam.pam_strerror(0n, code), REASON_OCTETS);
    throw new Error(`PAM does not begin with the service "${service}": ${reason}`);
  }

  /** An item that cannot be set is missing to modules that look at it, and to no others. */
  #set(item: number, text: string): void {
    this.#system.pam.pam_set_item(this.#handle, item, textMemory(text));
  }
}
