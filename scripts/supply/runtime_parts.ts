/**
 * What Bun, the executable's runtime, is itself linked from, and under which licences.
 *
 * Versions come from the runtime's own `process.versions`, names and licences from Bun's LICENSE.md; both are
 * read again by a person when Bun gets another version, as a part that is new fails the build.
 * *Knows* Bun on Linux. *Does not know* the packages from npm.
 */

import process from "node:process";

/** A library inside the runtime. */
export interface RuntimePart {
  readonly name: string;
  /** A version or a commit; undefined for those of which Bun does not tell it. */
  readonly version?: string;
  /** In the words of Bun's LICENSE.md, or an SPDX id. */
  readonly licence: string;
  /** "owner/name" on GitHub. */
  readonly repository: string;
}

/** Parts by their key in `process.versions`. */
const PARTS: Readonly<Record<string, Omit<RuntimePart, "version">>> = {
  ares: { name: "c-ares", licence: "MIT", repository: "c-ares/c-ares" },
  boringssl: {
    name: "BoringSSL",
    licence: "several, named in its LICENSE",
    repository: "oven-sh/boringssl",
  },
  icu: { name: "ICU", licence: "Unicode-3.0", repository: "unicode-org/icu" },
  libarchive: {
    name: "libarchive",
    licence: "several, named in its COPYING",
    repository: "libarchive/libarchive",
  },
  libdeflate: { name: "libdeflate", licence: "MIT", repository: "ebiggers/libdeflate" },
  llhttp: { name: "llhttp", licence: "MIT", repository: "nodejs/llhttp" },
  lolhtml: { name: "lol-html", licence: "BSD-3-Clause", repository: "oven-sh/lol-html" },
  lshpack: { name: "ls-hpack", licence: "MIT", repository: "litespeedtech/ls-hpack" },
  mimalloc: { name: "mimalloc", licence: "MIT", repository: "oven-sh/mimalloc" },
  picohttpparser: {
    name: "picohttpparser",
    licence: "Perl License or MIT License",
    repository: "h2o/picohttpparser",
  },
  sqlite: { name: "SQLite", licence: "blessing", repository: "sqlite/sqlite" },
  tinycc: { name: "TinyCC", licence: "LGPL v2.1", repository: "oven-sh/tinycc" },
  typescript: { name: "TypeScript", licence: "Apache-2.0", repository: "microsoft/TypeScript" },
  usockets: { name: "uSockets", licence: "Apache-2.0", repository: "oven-sh/bun" },
  uwebsockets: { name: "uWebSockets", licence: "Apache-2.0", repository: "oven-sh/bun" },
  webkit: {
    name: "WebKit (JavaScriptCore)",
    licence: "LGPL-2",
    repository: "oven-sh/WebKit",
  },
  zig: { name: "Zig's standard library", licence: "MIT", repository: "oven-sh/zig" },
  zlib: { name: "zlib-ng", licence: "Zlib", repository: "zlib-ng/zlib-ng" },
  zstd: { name: "zstd", licence: "BSD-3-Clause OR GPL-2.0-only", repository: "facebook/zstd" },
};

/** Parts that LICENSE.md names and `process.versions` does not. */
const WITHOUT_VERSION: readonly RuntimePart[] = [
  { name: "base64", licence: "BSD-2-Clause", repository: "aklomp/base64" },
  { name: "Brotli", licence: "MIT", repository: "google/brotli" },
  { name: "HdrHistogram", licence: "CC0-1.0 or BSD", repository: "HdrHistogram/HdrHistogram_c" },
  { name: "Highway", licence: "Apache-2.0", repository: "google/highway" },
  { name: "libjpeg-turbo", licence: "BSD, IJG, zlib", repository: "libjpeg-turbo/libjpeg-turbo" },
  { name: "libspng", licence: "BSD-2-Clause", repository: "randy408/libspng" },
  { name: "libwebp", licence: "BSD-3-Clause", repository: "webmproject/libwebp" },
  { name: "ls-qpack", licence: "MIT", repository: "litespeedtech/ls-qpack" },
  { name: "lsquic", licence: "MIT, BSD-3-Clause", repository: "litespeedtech/lsquic" },
  { name: "simdutf", licence: "Apache-2.0", repository: "simdutf/simdutf" },
  { name: "uucode", licence: "MIT", repository: "jacobsandlund/uucode" },
];

/** Numbers in `process.versions` that name no part: what Bun is compatible with, and itself. */
const NO_PARTS = new Set(["bun", "node", "modules", "napi", "openssl", "unicode", "uv", "v8"]);

/**
 * The parts of the Bun that runs this.
 * @throws {Error} If it has one that the table does not know, or is no Bun.
 */
export function runtimeParts(): RuntimePart[] {
  const versions = process.versions as Record<string, string | undefined>;
  if (versions["bun"] === undefined) throw new Error("Only Bun knows what is in Bun");
  const told = Object.keys(versions).filter((key) => !NO_PARTS.has(key)).map((key) => {
    const part = PARTS[key];
    if (part === undefined) {
      throw new Error(`Bun has a part "${key}", whose licence scripts/supply does not know`);
    }
    return { ...part, version: versions[key]! };
  });
  return [...told, ...WITHOUT_VERSION].sort((one, other) =>
    one.name.toLowerCase() < other.name.toLowerCase() ? -1 : 1
  );
}
