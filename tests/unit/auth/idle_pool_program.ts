/** A program that checks one password and then has nothing to do. Started by hash_pool_test.ts. */

import { HashPool } from "../../../src/auth/hash_pool.ts";

const pool = new HashPool({ idleLimitMs: 3_600_000 });
console.log(await pool.check("{PLAIN}secret", new TextEncoder().encode("secret")));
