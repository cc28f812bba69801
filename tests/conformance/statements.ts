/** Every statement that popkeep is held to, document by document: what docs/conformance.md lists. */

import { EXCHANGE } from "./exchange.ts";
import { MECHANISMS } from "./mechanisms.ts";
import { RFC1939 } from "./rfc1939.ts";
import { RFC2449 } from "./rfc2449.ts";
import { RFC2595 } from "./rfc2595.ts";
import { RFC3206 } from "./rfc3206.ts";
import { RFC5034 } from "./rfc5034.ts";
import { RFC6856 } from "./rfc6856.ts";
import type { Document } from "./statement.ts";
import { TENSIONS } from "./tensions.ts";

export const DOCUMENTS: readonly Document[] = [
  EXCHANGE,
  RFC1939,
  RFC2449,
  RFC2595,
  RFC3206,
  RFC5034,
  RFC6856,
  MECHANISMS,
  TENSIONS,
];

export const STATEMENTS = DOCUMENTS.flatMap(({ statements }) => statements);
