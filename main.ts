/** The entry: hands the command line over to src/cli. */

import process from "node:process";
import { run } from "./src/cli/run.ts";

await run(process.argv.slice(2));
