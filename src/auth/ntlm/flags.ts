/** The NEGOTIATE flags that popkeep knows ([MS-NLMP] §2.2.2.5), as unsigned 32-bit numbers. */

export const UNICODE = 0x0000_0001;
export const OEM = 0x0000_0002;
export const REQUEST_TARGET = 0x0000_0004;
export const NTLM = 0x0000_0200;
export const ANONYMOUS = 0x0000_0800;
export const ALWAYS_SIGN = 0x0000_8000;
export const TARGET_TYPE_DOMAIN = 0x0001_0000;
export const EXTENDED_SESSION_SECURITY = 0x0008_0000;
export const TARGET_INFO = 0x0080_0000;
export const KEY_128 = 0x2000_0000;
export const KEY_56 = 0x8000_0000;

/** Whether a flag is set. */
export function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}
