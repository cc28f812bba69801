/** Writes docs/conformance.md anew: `make docs`. */

import { writeFileSync } from "node:fs";
import { readCitations } from "./citations.ts";
import { DOCUMENTS } from "./statements.ts";
import { conformancePage } from "./table.ts";

const page = new URL("../../docs/conformance.md", import.meta.url);
writeFileSync(page, conformancePage(DOCUMENTS, readCitations()));
