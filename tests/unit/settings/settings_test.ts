import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { faultText, loadSettings, readSettings, type Settings } from "../../../src/settings.ts";

const FILE = "/etc/popkeep/popkeep.toml";

/** Reads settings that stand at FILE, without looking at other files. */
function read(toml: string | Uint8Array) {
  const octets = typeof toml === "string" ? Buffer.from(toml, "utf8") : toml;
  return readSettings(FILE, octets, { checkFiles: false });
}

/** Settings without TLS, so that they need no certificate. */
function good(toml = ""): Settings {
  const settings = read(`ssl_bindings = []\n${toml}`);
  if (Array.isArray(settings)) throw new Error(settings.map(faultText).join("\n"));
  return settings;
}

/** Line, key and what was found, for each fault of settings without TLS; lines count from `toml`. */
function faultsOf(toml: string): string[] {
  const faults = read(`ssl_bindings = []\n${toml}`);
  ok(Array.isArray(faults), `refused: ${toml}`);
  return faults.map(({ line, key, found }) => `${(line ?? NaN) - 1} ${key}: ${found}`);
}

test("without any key all settings have their defaults", () => {
  const { serverName, ntlmDomain, ...settings } = good();
  ok(serverName !== "");
  ok(/^[A-Z0-9_-]{1,15}$/.test(ntlmDomain), ntlmDomain);
  deepStrictEqual(settings, {
    file: FILE,
    unencryptedOrTlsBindings: [{ address: "0.0.0.0", port: 110 }, { address: "::", port: 110 }],
    sslBindings: [],
    proxyAddresses: [],
    workers: 1,
    banner: "popkeep is ready.",
    loginType: "secure_login",
    userFile: "/etc/popkeep/users",
    passwordScheme: "ARGON2ID",
    passwordMemoryMs: 300_000,
    passwordWorkers: 2,
    weakPasswordSchemes: [],
    stateFolder: "/var/lib/popkeep",
    defaultDomain: "",
    folderSeparator: "",
    delegates: false,
    masterUsers: [],
    masterUserSeparator: "",
    maxFailedLogins: 5,
    maxFailedLoginsFromSingleAddress: 30,
    maxFailedLoginsPerUser: 100,
    failedLoginWindowMs: 3_600_000,
    failedLoginBlockMs: 900_000,
    failedLoginDelayMs: 1_000,
    neverBlockedAddresses: [],
    mechanisms: [],
    enableGssapiAndNtlmAuth: true,
    extendedProtectionPolicy: "none",
    ntlmAuthProgram: "",
    ntlmAuthProcesses: 4,
    ntlmFirstReply: "+",
    gssapiKeytab: "",
    gssapiRealms: [],
    gssapiUser: "{name}",
    oauthJwks: "",
    oauthIntrospectionUrl: "",
    oauthIntrospectionClientId: "",
    oauthIntrospectionClientSecretFile: "",
    oauthIssuer: "",
    oauthAudience: [],
    oauthScopes: [],
    oauthUserClaim: "email",
    oauthOpenidConfigurationUrl: "",
    clientCertificateAuthorities: "",
    clientCertificateUser: "email",
    clientCertificateRevocationLists: [],
    maildir: "{home}/Maildir",
    user: "",
    group: "",
    messageRetrievalSortOrder: "ascending",
    enableExactRfc822Size: false,
    eightBitHeaders: "send",
    markRetrievedAsSeen: true,
    mailboxCacheOctets: 67_108_864,
    lmtpBindings: [],
    lmtpRemoteIpRanges: [],
    quotaStorageOctets: 0,
    quotaMessageCount: 0,
    quotaExceeded: "refuse",
    quotaIgnoredFolders: ["Trash"],
    quotaWarningPercentages: [80, 95, 100],
    quotaWarningFile: "",
    quotaWarningLanguage: "en",
    quotas: [],
    retentionReadMs: 0,
    retentionUnreadMs: 0,
    retentionTime: "03:00",
    deletedItemRetentionMs: 0,
    retentions: [],
    authenticatedConnectionTimeoutMs: 1_800_000,
    preAuthenticatedConnectionTimeoutMs: 60_000,
    tlsHandshakeTimeoutMs: 15_000,
    maxConnections: 10_000,
    maxConnectionsFromSingleAddress: 200,
    maxConnectionsPerUser: 16,
    maxCommandSizeOctets: 512,
    maxBadCommands: 20,
    maxReceiveOctets: 157_286_400,
    storageTimeoutMs: 30_000,
    shutdownGracePeriodMs: 30_000,
    logLevel: "info",
    logFormat: "auto",
    protocolLog: false,
    logFileLocation: "/etc/popkeep/log",
    logFileRollOverSettings: "daily",
    logPerFileSizeQuotaOctets: 0,
    certificates: [],
    directories: [{ kind: "user_file", file: "/etc/popkeep/users" }],
  });
});

test("directories stand in the order of the file, with absolute paths and their defaults", () => {
  deepStrictEqual(
    good(`
      [[directories]]
      kind = "pam"
      [[directories]]
      kind = "user_file"
      file = "others"
      [[directories]]
      kind = "user_file"
      [[directories]]
      kind = "checkpassword"
      program = ["/bin/checkpassword", "-x"]
      timeout = "3s"
    `).directories,
    [
      { kind: "pam", service: "popkeep", first_valid_uid: 1_000, timeout: 10_000 },
      { kind: "user_file", file: "/etc/popkeep/others" },
      { kind: "user_file", file: "/etc/popkeep/users" },
      {
        kind: "checkpassword",
        program: ["/bin/checkpassword", "-x"],
        processes: 10,
        timeout: 3_000,
      },
    ],
  );
});

test("a fault in a directory's table is told by its kind's own keys", () => {
  deepStrictEqual(
    faultsOf(`[[directories]]
kind = "pam"
servise = "x"
timeout = 3
[[directories]]
kind = "lpad"
[[directories]]
kind = "checkpassword"
`),
    [
      "3 directories[0].servise: an unknown key",
      "4 directories[0].timeout: 3",
      '6 directories[1].kind: "lpad"',
      "7 directories[2].program: nothing",
    ],
  );
});

test("tokens that are checked by keys have to say whom they are for", () => {
  deepStrictEqual(faultsOf('oauth_jwks = "keys.json"'), [
    "1 oauth_jwks: keys and no audience",
  ]);
});

test("NTLM is told a domain of the server's name where none is set", () => {
  strictEqual(good('server_name = "mail-7.example.com"').ntlmDomain, "MAIL-7");
  strictEqual(good('ntlm_domain = "CORP"').ntlmDomain, "CORP");
});

test("durations and sizes take units", () => {
  strictEqual(
    good('authenticated_connection_timeout = "1h30m"').authenticatedConnectionTimeoutMs,
    5_400_000,
  );
  strictEqual(good('password_memory_time = "0"').passwordMemoryMs, 0);
  strictEqual(good('max_command_size = "1KiB"').maxCommandSizeOctets, 1_024);
  strictEqual(good("max_command_size = 255").maxCommandSizeOctets, 255);
  strictEqual(good('log_per_file_size_quota = "1GiB"').logPerFileSizeQuotaOctets, 2 ** 30);
});

test("relative paths count from the folder of the settings file", () => {
  const settings = good(`
    user_file = "more/users"
    maildir = "mail/{user}"
    log_file_location = "/var/log/popkeep"
    [[certificates]]
    certificate_file = "../a.pem"
    key_file = "/k.pem"`);
  strictEqual(settings.userFile, "/etc/popkeep/more/users");
  strictEqual(settings.maildir, "/etc/popkeep/mail/{user}");
  strictEqual(settings.logFileLocation, "/var/log/popkeep");
  deepStrictEqual(settings.certificates, [{ certificateFile: "/etc/a.pem", keyFile: "/k.pem" }]);
});

test("what changes is kept beside the settings, and never below /etc", () => {
  const at = (file: string, toml = "") => {
    const settings = readSettings(file, Buffer.from(`ssl_bindings = []\n${toml}`), {
      checkFiles: false,
    });
    ok(!Array.isArray(settings));
    return settings.stateFolder;
  };
  strictEqual(at("/home/pop/popkeep.toml"), "/home/pop/state");
  strictEqual(at("/etcetera/popkeep.toml"), "/etcetera/state");
  strictEqual(at("/etc/popkeep.toml"), "/var/lib/popkeep");
  strictEqual(at("/etc/popkeep/popkeep.toml", 'state_folder = "kept"'), "/etc/popkeep/kept");
});

test("every range is kept at both ends", () => {
  const ranges: [key: string, inside: string[], outside: string[]][] = [
    ["max_command_size", ["40", "1024", '"1KiB"'], ["39", "1025", '"2KiB"', "-1"]],
    ["authenticated_connection_timeout", ['"1s"', '"1d"'], ['"999ms"', '"1d1ms"', '"0"']],
    ["pre_authenticated_connection_timeout", ['"1s"', '"1h"'], ['"0"', '"61m"']],
    ["tls_handshake_timeout", ['"1s"', '"2m"'], ['"0"', '"121s"']],
    ["storage_timeout", ['"1s"', '"10m"'], ['"999ms"', '"10m1s"', '"0"']],
    ["shutdown_grace_period", ['"0"', '"1h"'], ['"1h1s"']],
    ["password_memory_time", ['"0"', '"1d"'], ['"2d"']],
    ["max_connections", ["1", "2147483647"], ["0", "2147483648", "-1"]],
    ["max_connections_from_single_address", ["1"], ["0"]],
    ["max_connections_per_user", ["1"], ["0"]],
    ["max_bad_commands", ["1", "10000"], ["0", "10001"]],
    ["max_failed_logins", ["1", "1000"], ["0", "1001"]],
    ["workers", ["1", "64", '"auto"'], ["0", "65", '"all"', '"2"', "1.5"]],
    ["password_workers", ["1", "64"], ["0", "65"]],
    ["log_per_file_size_quota", ["0", '"1TiB"'], ['"2000TiB"']],
    ["banner", ['"x"', `"${"x".repeat(506)}"`], ['""', `"${"x".repeat(507)}"`]],
  ];
  for (const [key, inside, outside] of ranges) {
    for (const value of inside) good(`${key} = ${value}`);
    for (const value of outside) {
      const faults = faultsOf(`${key} = ${value}`);
      strictEqual(faults.length, 1, `${key} = ${value}`);
      ok(faults[0]?.startsWith(`1 ${key}: `), faults.join());
    }
  }
});

test("settings can be sent to another process: plain values, of which none is lost", () => {
  const settings = good(`workers = "auto"
[[directories]]
kind = "ldap"
urls = ["ldaps://127.0.0.1"]
base = "dc=example,dc=com"
[[directories]]
kind = "user_file"
`);
  deepStrictEqual(JSON.parse(JSON.stringify(settings)), settings);
});

test("a value of the wrong type is a fault, even one that could be turned into the right", () => {
  const wrong = [
    "max_connections = 1.0",
    'max_connections = "5"',
    "authenticated_connection_timeout = 1800",
    'protocol_log = "yes"',
    "protocol_log = 1",
    "banner = 5",
    "banner = 2026-01-01",
    'unencrypted_or_tls_bindings = "0.0.0.0:110"',
    "unencrypted_or_tls_bindings = [110]",
    'certificates = "a.pem"',
    "certificates = [5]",
    "user_file = []",
    "maildir = {}",
    "max_command_size = 512.5",
    "max_command_size = nan",
  ];
  for (const toml of wrong) {
    const faults = faultsOf(toml);
    strictEqual(faults.length, 1, `${toml}: ${faults.join(" ")}`);
    ok(faults[0]?.startsWith(`1 ${toml.split(" ")[0]}`), faults.join());
  }
});

test("a banner holds nothing that a client would take for an APOP timestamp", () => {
  deepStrictEqual(faultsOf('banner = "hello <1896.697170952@example.com>"').length, 1);
  deepStrictEqual(faultsOf('banner = "two\\nlines"').length, 1);
});

test("a banner does not begin with what a client would take for a response code", () => {
  deepStrictEqual(faultsOf('banner = "[IN-USE] ready"').length, 1);
  strictEqual(good('banner = "ready [really]"').banner, "ready [really]");
});

test("all faults are told at once, in the order of the lines", () => {
  deepStrictEqual(
    faultsOf([
      "max_connections = 0",
      'banner = "<"',
      "maildir = '/var/mail'",
      "no_such_key = 1",
      'unencrypted_or_tls_bindings = ["127.0.0.1:110",',
      '  "nowhere:110"]',
      "[[certificates]]",
      'certificate_file = "a.pem"',
      "[[certificates]]",
      'key_file = ""',
      "colour = 3",
    ].join("\n")),
    [
      "1 max_connections: 0",
      '2 banner: "<"',
      '3 maildir: "/var/mail", the same for several users',
      "4 no_such_key: an unknown key",
      '6 unencrypted_or_tls_bindings[1]: "nowhere:110"',
      "7 certificates[0].key_file: nothing",
      "9 certificates[1].certificate_file: nothing",
      '10 certificates[1].key_file: ""',
      "11 certificates[1].colour: an unknown key",
    ],
  );
});

test("a fault reads as one line with file, line, key, what was found and what is allowed", () => {
  const faults = read('\nlogin_type = "SecureLogin"\nssl_bindings = []');
  ok(Array.isArray(faults));
  deepStrictEqual(faults.map(faultText), [
    `${FILE}:2: login_type: found "SecureLogin"; allowed is "secure_login", ` +
    `"plaintext_authentication" or "plaintext_login"; did you mean "secure_login"?`,
  ]);
});

test("a misspelt key is told with the nearest that there is", () => {
  const meant: [written: string, key: string][] = [
    ["max_comand_size = 1", "max_command_size"],
    ["MaxConnections = 1", "max_connections"],
    ["MaxConnectionFromSingleIP = 1", "max_connections_from_single_address"],
    ["EnableExactRFC822Size = true", "enable_exact_rfc822_size"],
    ["X509CertificateName = 1", "certificates"],
    ["[[certificate]]", "certificates"],
  ];
  for (const [toml, key] of meant) {
    const faults = read(`ssl_bindings = []\n${toml}`);
    ok(Array.isArray(faults) && faults.length === 1, toml);
    strictEqual(faults[0]?.nearest, key, toml);
    strictEqual(faults[0]?.line, 2, toml);
  }
});

test("a key below [[certificates]] that belongs above is told so", () => {
  const faults = read(
    '[[certificates]]\ncertificate_file = "a"\nkey_file = "b"\nbanner = "x"\n',
  );
  ok(Array.isArray(faults));
  strictEqual(faults.length, 1);
  strictEqual(faults[0]?.line, 4);
  strictEqual(faults[0]?.allowed, "this key above the first [[certificates]]");
});

test("a line that is not TOML hides no other fault", () => {
  deepStrictEqual(
    faultsOf('log_level = info\nmax_connections = 0\nbanner = "x\nmax_bad_commands = 0').map(
      (fault) => fault.split(",")[0],
    ),
    [
      '1 log_level: "log_level = info"',
      "2 max_connections: 0",
      '3 banner: "banner = \\"x"',
      "4 max_bad_commands: 0",
    ],
  );
});

test("a file that is no TOML at all has a fault with its line", () => {
  const faults = read("# settings\n\n{ this: is, json }\n");
  ok(Array.isArray(faults));
  strictEqual(faults.length, 1);
  strictEqual(faults[0]?.line, 3);
});

test("a key that stands twice is a fault that names the first line", () => {
  deepStrictEqual(faultsOf("max_connections = 5\nbanner = 'x'\nmax_connections = 6"), [
    "3 max_connections: a second time (it stands on line 2 already)",
  ]);
});

test("octets that are not UTF-8 are a fault with their line", () => {
  const faults = read(Buffer.from("# a\nbanner = '\xe9'\n", "latin1"));
  ok(Array.isArray(faults));
  strictEqual(faults[0]?.line, 2);
});

test("what a fault repeats of a value is short and has no control characters", () => {
  const faults = read(`ssl_bindings = []\nlogin_type = "\\u001b[2J\\u009b${"x".repeat(10_000)}"`);
  ok(Array.isArray(faults));
  const text = faults.map(faultText).join();
  ok(text.length < 400);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  ok(!/[\x00-\x1f\x7f-\x9f]/.test(text));
});

test("a maildir is refused when it has no variable, an unknown one, or would be everybody's", () => {
  const refused = [
    "/var/mail",
    "{domain}/mail",
    "mail/{username}",
    "mail/{User}",
    "mail/{user",
    "mail/user}",
    "mail/{}{user}",
    "mail/{home}",
    "~/Maildir/{user}",
  ];
  for (const maildir of refused) {
    const faults = faultsOf(`maildir = "${maildir}"`);
    strictEqual(faults.length, 1, `${maildir}: ${faults.join(" ")}`);
  }
  for (const maildir of ["{home}", "{home}/{domain}", "m/{user}", "/m/{domain}/{local}/Maildir"]) {
    good(`maildir = "${maildir}"`);
  }
});

test("ssl_bindings without a certificate is refused, set or by default, and the fault says what to do", () => {
  for (const toml of ["", 'ssl_bindings = ["127.0.0.1:995"]']) {
    const faults = read(toml);
    ok(Array.isArray(faults) && faults.length === 1);
    const [fault] = faults;
    strictEqual(fault?.key, "ssl_bindings");
    strictEqual(fault?.line, toml === "" ? undefined : 1);
    ok(fault?.allowed.includes("[[certificates]]") && fault.allowed.includes("ssl_bindings = []"));
  }
});

test("there must be something to listen on, and nothing twice", () => {
  deepStrictEqual(faultsOf("unencrypted_or_tls_bindings = []"), [
    "1 unencrypted_or_tls_bindings: nothing to listen on",
  ]);
  deepStrictEqual(faultsOf('unencrypted_or_tls_bindings = ["[::1]:1", "[::1]:2", "[::1]:1"]'), [
    '1 unencrypted_or_tls_bindings[2]: "[::1]:1" a second time',
  ]);
  good('unencrypted_or_tls_bindings = ["127.0.0.1:0", "127.0.0.1:0"]');
});

test("a file that is not there is one fault without a line", () => {
  const faults = loadSettings("/nonexistent/popkeep.toml");
  ok(Array.isArray(faults));
  deepStrictEqual(faults.map(faultText), [
    "/nonexistent/popkeep.toml: found a file that does not exist; allowed is a settings file",
  ]);
});
