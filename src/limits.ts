/**
 * Every number that bounds what a client can make popkeep do, with its unit, its reason and the floor
 * that a document sets. What an operator may change is a setting; its default and range stand here.
 */

/** Longest command line with its CRLF, octets. [MS-STANXPOP3] E0006: 512 unless set, 40 to 1024. */
export const COMMAND_OCTETS = { min: 40, default: 512, max: 1024 } as const;

/** RFC 2449 §4: a server with CAPA takes commands of at least this many octets. Less is warned about. */
export const CAPA_COMMAND_OCTETS_FLOOR = 255;

/** Longest SASL response line with its CRLF, octets. RFC 5034 §4 leaves room for 12,288 of base64. */
export const SASL_LINE_OCTETS = 12_288 + 2;

/** Connections that may send a longer SASL response at a time, each up to 88 KiB of base64 (GSSAPI). */
export const LONG_SASL_LINES = 256;

/** The same from one address, of IPv6 from one network of 64 bits. */
export const LONG_SASL_LINES_OF_ADDRESS = 32;

/** Longest response line with its CRLF, octets. [MS-STANXPOP3] C0001, RFC 1939 §3. */
export const RESPONSE_LINE_OCTETS = 512;

/** Longest unique-id, characters. RFC 1939 §7 UIDL. */
export const UNIQUE_ID_CHARACTERS = 70;

/** Inactivity before the session is logged out, ms. [MS-STANXPOP3] V0002; Exchange takes 30 s to 1 h. */
export const AUTHENTICATED_IDLE_MS = { min: 1_000, default: 1_800_000, max: 86_400_000 } as const;

/** The same before login, ms. [MS-STANXPOP3] V0002. */
export const PRE_AUTHENTICATED_IDLE_MS = { min: 1_000, default: 60_000, max: 3_600_000 } as const;

/** RFC 1939 §3: an inactivity timer is at least ten minutes. Less after login is warned about. */
export const AUTOLOGOUT_FLOOR_MS = 600_000;

/** Time to finish a TLS handshake, ms. A half-open handshake holds a connection and says nothing. */
export const TLS_HANDSHAKE_MS = { min: 1_000, default: 15_000, max: 120_000 } as const;

/** The longest header of a proxy that is read. The addresses take 52 octets; what it adds may be long. */
export const PROXY_HEADER_OCTETS = 4_096;

/** Connections in all. Each is a file descriptor and a few KiB. */
export const CONNECTIONS = { min: 1, default: 10_000, max: 2_147_483_647 } as const;

/**
 * Connections from one address, of IPv6 from one network of 64 bits. Large, since an office or a carrier
 * stands behind one.
 */
export const CONNECTIONS_PER_ADDRESS = { min: 1, default: 200, max: 2_147_483_647 } as const;

/**
 * Connections begun with in a turn of the event loop, so that sessions have theirs in between: some
 * milliseconds of work. One that begins with a TLS handshake is as much as so many others.
 */
export const NEWCOMERS_A_TURN = 16;
export const TLS_NEWCOMER = 4;

/** Connections accepted that wait for such a turn, each a file descriptor. */
export const NEWCOMERS_WAITING = 4_096;

/** Beyond it they are closed, so many in a turn: each is there again as soon as it is. */
export const CLOSED_A_TURN = 32;

/** Files that a process keeps for mail, logs and directories when clients would take them all. */
export const FILES_ASIDE = 256;

/**
 * Connections beyond a limit that are told so within REFUSALS_MS before they are closed; under implicit TLS that
 * takes a handshake. Others are closed without a word.
 */
export const REFUSALS_TOLD = 64;
export const REFUSALS_MS = 1_000;

/** Logged-in sessions of one user. Exchange: 16. */
export const CONNECTIONS_PER_USER = { min: 1, default: 16, max: 2_147_483_647 } as const;

/** Commands answered with -ERR for being none, or none here and now, after which we close (C0005). */
export const BAD_COMMANDS = { min: 1, default: 20, max: 10_000 } as const;

/** Failed logins on one connection, after which it closes (C0005). Clients try several mechanisms. */
export const FAILED_LOGINS = { min: 1, default: 5, max: 1_000 } as const;

/** Failed logins from one address (of IPv6, one /64) within the window, after which it is refused. */
export const FAILED_LOGINS_FROM_ADDRESS = { min: 1, default: 30, max: 1_000_000 } as const;

/** As many times the failures of an address are one IPv6 site's (48 bits: 65,536 networks of 64). */
export const SITE_ADDRESSES = 8;

/** Failed logins to one name within the window, after which addresses that failed are refused for it. */
export const FAILED_LOGINS_OF_USER = { min: 1, default: 100, max: 1_000_000 } as const;

/** How long a failed login counts, ms. */
export const FAILED_LOGIN_WINDOW_MS = {
  min: 10_000,
  default: 3_600_000,
  max: 604_800_000,
} as const;

/** How long an address is refused, ms. */
export const FAILED_LOGIN_BLOCK_MS = { min: 1_000, default: 900_000, max: 604_800_000 } as const;

/** First delay of the answer to a failed login, ms; it doubles up to FAILED_LOGIN_LONGEST_DELAY_MS. */
export const FAILED_LOGIN_DELAY_MS = { min: 0, default: 1_000, max: 15_000 } as const;

/** Longest delay of the answer to a failed login, ms: well under the 60 s that clients wait. */
export const FAILED_LOGIN_LONGEST_DELAY_MS = 15_000;

/** Processes of Samba's ntlm_auth: each is a few MiB and serves one login at a time. */
export const NTLM_AUTH_PROCESSES = { min: 1, default: 4, max: 64 } as const;

/** Time that an account directory gets for an answer, ms. */
export const DIRECTORY_TIMEOUT_MS = { min: 100, default: 10_000, max: 60_000 } as const;

/** Time that a connection to a directory server gets to be there, ms. */
export const DIRECTORY_CONNECT_MS = { min: 100, default: 3_000, max: 60_000 } as const;

/** Time that one operation of a directory server gets, ms. */
export const DIRECTORY_OPERATION_MS = { min: 100, default: 5_000, max: 60_000 } as const;

/**
 * Time after a directory server failed in which it is not asked again, ms: logins are told so at once,
 * rather than each waiting until its time is up.
 */
export const DIRECTORY_RETRY_MS = 2_000;

/** An idle connection to a directory server is closed after this, ms: servers and firewalls do it later. */
export const DIRECTORY_IDLE_MS = 60_000;

/** Look-ups waiting for a connection to one directory server. Beyond it a login is told to come back. */
export const DIRECTORY_QUEUE_LENGTH = 1_000;

/** Users whose kind of password hash is remembered, to choose decoys alike: some 200 octets each. */
export const DECOY_USERS = 1_000;

/** Rows of an SQL directory's users that are read at once where all are listed: some 100 octets each. */
export const DIRECTORY_LIST_ROWS = 5_000;

/** Entries of an LDAP directory's users in a page where all are listed: what Active Directory gives at most. */
export const DIRECTORY_LIST_ENTRIES = 1_000;

/** Users of one LDAP server at most: all are kept until each has had its turn, some 200 octets each. */
export const DIRECTORY_LISTED_USERS = 2_000_000;

/** Time for the list of all users of one LDAP server, ms; a single page has that of any operation. */
export const DIRECTORY_LISTING_MS = 600_000;

/** Connections to one directory server at a time. */
export const DIRECTORY_CONNECTIONS = { min: 1, default: 4, max: 64 } as const;

/**
 * Where the time of a refusal would tell which directory knows the user, it is answered at the next
 * multiple of this, ms: more than directories differ by when they are well.
 */
export const REFUSAL_GRID_MS = 1_000;

/** The same for the first step of SCRAM and NTLM, ms, which everybody waits for, those with a right proof too. */
export const SECRETS_GRID_MS = 100;

/** Lowest uid of a system account that may log in. Debian's first user has 1000; 0 is root. */
export const FIRST_VALID_UID = { min: 1, default: 1_000, max: 4_294_967_294 } as const;

/** Time that sessions get to QUIT when the server is told to stop, ms. */
export const SHUTDOWN_GRACE_MS = { min: 0, default: 30_000, max: 3_600_000 } as const;

/** Time a right password is remembered under a keyed digest, ms; 0 remembers nothing. */
export const PASSWORD_MEMORY_MS = { min: 0, default: 300_000, max: 86_400_000 } as const;

/** Password hashes waiting for a worker. Beyond it a login is told to come back ([SYS/TEMP]). */
export const HASH_QUEUE_LENGTH = 1_000;

/** One hash may take this long, ms; then its thread is ended. COST bounds make more a fault of ours. */
export const HASH_JOB_MS = 60_000;

/** An idle hash thread ends after this, ms: it holds about 15 MiB and the memory of its last hash. */
export const HASH_WORKER_IDLE_MS = 30_000;

/** Password, octets: more than a command carries (COMMAND_OCTETS), so that only AUTH can exceed it. */
export const PASSWORD_OCTETS = 1_024;

/** Right passwords remembered at once, about 200 octets each. Beyond it the oldest are forgotten. */
export const PASSWORD_MEMORY_ENTRIES = 100_000;

/**
 * Most that a stored hash may cost, since any client that knows a user name can ask for it to be
 * computed: each bound is 3 to 10 seconds of one core. A hash beyond is not computed and never right.
 */
export const HASH_COST = {
  /** Memory of one ARGON2 hash, KiB. Dovecot makes 65,536. */
  argon2MemoryKib: 1_048_576,
  /** Memory times passes, KiB: what the time of an ARGON2 hash follows. */
  argon2WorkKib: 2_097_152,
  argon2Parallelism: 64,
  /** Binary logarithm of the rounds of BLF-CRYPT. */
  bcryptCost: 16,
  shaCryptRounds: 1_000_000,
  pbkdf2Rounds: 5_000_000,
} as const;

/** User name, octets: RFC 5321 allows 64 + 1 + 255; more names nobody. */
export const USER_NAME_OCTETS = 320;

/** Reply octets gathered before a write, so that pipelined replies share segments but not memory. */
export const OUTPUT_BATCH_OCTETS = 65_536;

/** The same of a client that is not logged in. */
export const STRANGER_BATCH_OCTETS = 4_096;

/** Memory for mailboxes that nobody has open, octets: 64 MiB are 800,000 messages. */
export const MAILBOX_CACHE_OCTETS = { min: 0, default: 67_108_864, max: 2 ** 40 } as const;

/** Message file octets read at a time: what a session holds of a message, whatever its size. */
export const READ_CHUNK_OCTETS = 65_536;

/**
 * Calls to one filesystem that may wait at once, in each process: mail that is not in memory is read, and messages
 * are removed, as a disk takes it best.
 */
export const FILESYSTEM_CALLS = 16;

/**
 * Calls to all of them. Each has a thread, which is made when it is needed, and lost while the filesystem hangs:
 * nineteen that hang at once leave one for the others.
 */
export const DISK_THREADS = 256;

/**
 * Time that a call to the disk gets, ms: less than the minute or more that clients wait for an answer, and
 * more than a disk takes that is only busy.
 */
export const STORAGE_TIMEOUT_MS = { min: 1_000, default: 30_000, max: 600_000 } as const;

/** Processes that serve clients. Each has threads and memory of its own; no machine has use for more. */
export const WORKERS = { min: 1, default: 1, max: 64 } as const;

/** Threads that check password hashes: more than cores gains nothing, and each holds a hash's memory. */
export const PASSWORD_WORKERS = { min: 1, default: 2, max: 64 } as const;

/** Longest message that is delivered, octets in storage. Exchange: MaxReceiveSize, 150 MiB at the most online. */
export const RECEIVED_OCTETS = { min: 1_024, default: 157_286_400, max: 2 ** 50 } as const;

/** Mail of one user, octets; 0 sets no limit. Exchange: ProhibitSendReceiveQuota. */
export const QUOTA_OCTETS = { min: 0, default: 0, max: 2 ** 50 } as const;

/** Messages of one user; 0 sets no limit. */
export const QUOTA_MESSAGES = { min: 0, default: 0, max: 2_147_483_647 } as const;

/**
 * Percentage points of the quota that a mailbox has to fall by before it is warned of the same again: mail that
 * comes and goes with each poll is less of a mailbox than that.
 */
export const QUOTA_HYSTERESIS_PERCENT = 5;

/** A template of the message that warns, octets. */
export const QUOTA_WARNING_OCTETS = 65_536;

/**
 * Age at which mail goes, ms; 0 is never. A day at least, since shorter ones were meant otherwise (7m: months?).
 * Exchange: AgeLimitForRetention, 24,855 days at the most.
 */
export const RETENTION_MS = { min: 86_400_000, default: 0, max: 2_147_472_000_000 } as const;

/** How long deleted mail can be put back, ms; 0 not at all. Exchange: DeletedItemRetention, 24,855 days. */
export const DELETED_ITEM_RETENTION_MS = RETENTION_MS;

/** Size at which a protocol log file is full, octets; 0 sets no limit. Exchange: LogPerFileSizeQuota. */
export const LOG_FILE_OCTETS = { min: 0, default: 0, max: 2 ** 50 } as const;

/**
 * Octets that a client may send ahead while a command of its is being answered; beyond, its socket is
 * not read. More than the longest line, or a line could not become whole.
 */
export const INPUT_PENDING_OCTETS = 16_384;

/**
 * What the system may hold for us of one POP3 client, and the most that one reading brings, octets; Linux makes it
 * half as much again. Else it is megabytes, of which Bun reads 512 KiB at once. Commands need no more.
 */
export const RECEIVE_OCTETS = 16_384;

/** Commands, and reply octets, after which a session lets the others have their turn. */
export const TURN_COMMANDS = 128;
export const TURN_OCTETS = 131_072;

/** The same of all sessions together in one turn of the event loop: one or two milliseconds. */
export const TURN_OCTETS_OF_ALL = 8 * TURN_OCTETS;

/** Sessions with more to do that go on in one turn of the event loop: one or two milliseconds of work. */
export const SESSIONS_A_TURN = 4;

/**
 * Time that a client gets to close its end after we closed ours, ms, and octets of it that are thrown
 * away meanwhile. Closing at once while octets are unread would make TCP take back our last words.
 */
export const CLOSE_LINGER_MS = 3_000;
export const CLOSE_LINGER_OCTETS = 1_048_576;

/** Password that gets an NT hash, UTF-16 code units: what Windows takes ([MS-SAMR] SAMPR_USER_PASSWORD). */
export const NT_PASSWORD_UTF16_UNITS = 256;

/**
 * Iterations of stored SCRAM-SHA-256 keys. Clients compute them at each login, we do once: the default
 * is the tenth of a second that RFC 7677 §4 asks for, on a desktop of today. 4,096 is its floor; a million
 * is what a telephone would still wait for.
 */
export const SCRAM_ITERATIONS = { min: 4_096, default: 100_000, max: 1_000_000 } as const;

/** Salt of stored SCRAM-SHA-256 keys, octets. Dovecot and popkeep make 16. */
export const SCRAM_SALT_OCTETS = { min: 8, default: 16, max: 64 } as const;

/** Kinds of SCRAM keys, by iterations and salt length, that are made up for unknown users: a digest each. */
export const SCRAM_SHAPES = 64;

/** A client's part of a SCRAM nonce, characters: those of real clients have 16 to 64. */
export const SCRAM_NONCE_CHARACTERS = 256;

/** A client's SCRAM message, octets: two names with each octet escaped, nonces, and the rest. */
export const SCRAM_MESSAGE_OCTETS = 4_096;

/** A file with revocation lists, octets: some 300,000 entries, read in half a second at a change. */
export const REVOCATION_LIST_OCTETS = 16_777_216;

/**
 * Access token, octets: Exchange's are 1 to 3 KiB, those with many groups in them more. With the names
 * around it, it still goes into RFC 5034's response of 12,288 octets of base64.
 */
export const OAUTH_TOKEN_OCTETS = 8_192;

/** One request to an authorization server, from the connection to the last octet, ms. */
export const OAUTH_REQUEST_MS = 10_000;

/** JSON Web Key Set, octets: a hundred keys with their certificates. */
export const OAUTH_KEY_SET_OCTETS = 262_144;

/** How old a fetched key set may be before it is fetched again, ms: what a withdrawn key is good for. */
export const OAUTH_KEY_SET_AGE_MS = 600_000;

/**
 * Time between two fetches of a key set, ms: anybody can send a token whose key is not known, and each
 * would be a request to somebody else's server.
 */
export const OAUTH_KEY_SET_COOLDOWN_MS = 30_000;

/** Keys of a set that a token without a key id is tried with: each costs a signature check. */
export const OAUTH_KEYS_TRIED = 8;

/** Answer about a token (RFC 7662), octets: claims, some with many groups. */
export const OAUTH_INTROSPECTION_OCTETS = 65_536;

/**
 * Tokens from one address that turn out not to be active within OAUTH_INACTIVE_TOKENS_MS, after which no
 * more are asked about until then: made-up ones cost us little, and an authorization server much. Many
 * clients may stand behind one address, whose tokens all ended in the night.
 */
export const OAUTH_INACTIVE_TOKENS = 100;
export const OAUTH_INACTIVE_TOKENS_MS = 60_000;

/** Addresses for which that is counted. Beyond it the oldest are forgotten. */
export const OAUTH_INACTIVE_TOKENS_ADDRESSES = 10_000;

/** Questions about tokens under way at once; beyond it a login is told to come back ([SYS/TEMP]). */
export const OAUTH_INTROSPECTIONS = 64;

/** Time that an answer about a token holds, ms: what a revoked token is good for. Clients poll. */
export const OAUTH_INTROSPECTION_MEMORY_MS = 60_000;

/** Answers about tokens remembered at once, about 300 octets each. Beyond it the oldest are forgotten. */
export const OAUTH_INTROSPECTION_MEMORY_ENTRIES = 10_000;

/** What the clocks of two servers may differ by, ms, where a token begins or ends (RFC 7519 §4.1.4). */
export const OAUTH_CLOCK_LEEWAY_MS = 30_000;

/** Client secret for introspection, octets. */
export const OAUTH_CLIENT_SECRET_OCTETS = 4_096;

/** One response of AUTH GSSAPI, octets: tickets with the groups of a large Active Directory reach 48 KiB. */
export const GSSAPI_RESPONSE_OCTETS = 65_536;

/** Tokens that a client may send until its Kerberos context stands. Kerberos needs one, or two. */
export const GSSAPI_TOKENS = 8;

/** Threads that call the Kerberos library. A ticket takes them about a millisecond. */
export const GSSAPI_THREADS = 2;

/** Calls waiting for one of them. Beyond it a login is told to come back ([SYS/TEMP]). */
export const GSSAPI_QUEUE_LENGTH = 1_000;

/** One call may take this long, ms; then its thread is given up. The keytab may lie on a slow network disk. */
export const GSSAPI_CALL_MS = 20_000;

/** An idle thread for Kerberos ends after this, ms: it holds some 10 MiB. */
export const GSSAPI_IDLE_MS = 60_000;

/** A keytab that could not be used is looked at again after this, ms, when the next client comes. */
export const GSSAPI_RECHECK_MS = 10_000;

/** Threads that were given up in a call and still hang in it. Beyond it no new thread is started. */
export const STUCK_THREADS = 8;

/**
 * Logins waiting for a turn at PAM or at a checkpassword program. Beyond it one from the address of which
 * most wait is told to come back ([SYS/TEMP]).
 */
export const DIRECTORY_TURNS_WAITING = 1_000;

/** Checkpassword programs at once: each is a process, started for one login. */
export const CHECKPASSWORD_PROCESSES = { min: 1, default: 10, max: 1_000 } as const;

/** Threads that call PAM: most of what it does is waiting. */
export const PAM_THREADS = 4;

/** An idle thread for PAM ends after this, ms: it holds some 10 MiB. */
export const PAM_IDLE_MS = 60_000;

/** Password for PAM, octets: PAM_MAX_RESP_SIZE of Linux-PAM, which has a NUL in it. */
export const PAM_PASSWORD_OCTETS = 511;

/** Messages of one conversation with a PAM module: PAM_MAX_NUM_MSG of Linux-PAM. */
export const PAM_MESSAGES = 32;

/** Questions that PAM modules may ask in one login: one is usual, and one that asks for ever hangs. */
export const PAM_QUESTIONS = 16;

/** What the system may need for one entry of its account list, octets. */
export const SYSTEM_ACCOUNT_OCTETS = 1_048_576;

/** Name, password and their three NULs, octets: what a checkpassword program reads at most. */
export const CHECKPASSWORD_REQUEST_OCTETS = 512;

/** Environment that a checkpassword program reports, octets: a handful of variables. */
export const CHECKPASSWORD_REPORT_OCTETS = 65_536;

/** What is kept of a checkpassword program's error output, octets, for one line of the log. */
export const CHECKPASSWORD_SAID_OCTETS = 1_024;

/** Domain that an NTLM client names, UTF-16 code units: what a DNS name may have (RFC 1035 §3.1). */
export const NTLM_DOMAIN_UTF16_UNITS = 255;

/** Failed logins from one address that are answered at once: people mistype. */
export const FREE_FAILED_LOGINS = 3;

/**
 * Logins under way at once of a user from an address that he logged in from lately, in each process, that
 * do not stand in line: clients that poll several times at once are rare.
 */
export const KNOWN_LOGINS_AT_ONCE = 3;

/** Failures of one name, from all addresses, after which each answer waits for those as well. */
export const FREE_FAILED_LOGINS_OF_ACCOUNT = 20;

/**
 * Failed logins that a login from the same address to the same account makes forgotten, once a window:
 * as many as somebody mistypes, too few to guess behind a login of one's own.
 */
export const FORGIVEN_FAILED_LOGINS = 5;

/** Keys of each kind (address, site, account, both) whose failed logins are counted; about 1 KiB each. */
export const FAILED_LOGIN_KEYS = 10_000;

/** Wrong passwords remembered by digest, so that the same one counts once; about 1 KiB each. */
export const TRIED_PASSWORDS = 5_000;

/** Pairs of account and address that a login came from, 150 octets each, and how long they are known, ms. */
export const KNOWN_LOGINS = 50_000;
export const KNOWN_LOGIN_MS = 30 * 86_400_000;

/**
 * Logins that wait because others from their address are under way, of one address and in all. A client
 * that hangs up does not take back its login, so that connections do not bound them.
 */
export const LOGINS_WAITING_OF_ADDRESS = 256;
export const LOGINS_WAITING = 10_000;

/** The file of failed logins, octets: above what full tables take, so that more is none of ours. */
export const FAILED_LOGINS_FILE_OCTETS = 16_777_216;

/**
 * Samba's ntlm_auth: time for one answer, which may take it to a domain controller, ms; time that it waits
 * on a client for the answer to a challenge, and the same while other clients wait, ms.
 */
export const NTLM_HELPER_REPLY_MS = 20_000;
export const NTLM_HELPER_HOLD_MS = 15_000;
export const NTLM_HELPER_TURN_MS = 2_000;

/** Time that a client waits for an ntlm_auth process, ms, and how many may. Then [SYS/TEMP]. */
export const NTLM_HELPER_WAIT_MS = 10_000;
export const NTLM_HELPER_QUEUE_LENGTH = 200;

/** After an ntlm_auth process failed none is started for this time, ms. */
export const NTLM_HELPER_RESTART_MS = 1_000;

/** Line that ntlm_auth may answer, octets: a challenge with long names is some 1,000. */
export const NTLM_HELPER_LINE_OCTETS = 65_536;

/** What is logged of something that ntlm_auth writes to its error output, octets. */
export const NTLM_HELPER_SAID_OCTETS = 500;

/** App passwords of one user. Each costs a digest at every login by a password that could be one. */
export const APP_PASSWORDS_PER_USER = 32;

/**
 * App passwords whose last use is remembered, about 120 octets each in memory and in a file that is
 * written anew as a whole. Beyond it those that were used longest ago are forgotten.
 */
export const APP_PASSWORD_USES = 20_000;

/**
 * Connections of mail systems by LMTP, in each process. Postfix makes at most 20 to one destination unless it is
 * told otherwise; who is told to come back later does.
 */
export const LMTP_CONNECTIONS = 100;

/** Inactivity after which such a connection is closed, ms. RFC 5321 §4.5.3.2.7: at least five minutes. */
export const LMTP_IDLE_MS = 300_000;

/**
 * Recipients of one message by LMTP; for the others the client sends it again. RFC 5321 §4.5.3.1.8: at least 100.
 * Each is an open file.
 */
export const LMTP_RECIPIENTS = 100;

/** Recipients of all messages that are being written at once, in each process: 128 KiB and a file each. */
export const LMTP_RECIPIENTS_AT_ONCE = 128;

/**
 * Pieces in which a message by LMTP goes to its recipients, octets. The first one, or a message that is shorter, is
 * there before any of the places above is taken: one such piece of memory for each connection.
 */
export const LMTP_PIECE_OCTETS = 65_536;

/**
 * How long a mail system may take for each piece but the first, ms: its recipients keep their places from others
 * meanwhile. 1 KiB a second; a message that comes more slowly is given up, and tried again.
 */
export const LMTP_PIECE_MS = 60_000;

/**
 * How long one may wait for all pieces of a message together, ms: else who sends each of them just in time would keep
 * all places from others for a night. Half of the time that a client waits for his answer (RFC 5321 §4.5.3.2.6: ten
 * minutes), which is to come also where he had to wait for others first.
 */
export const LMTP_MESSAGE_MS = 300_000;

/** A piece that comes within this does not count, ms: so a message of any length may come, at 256 KiB a second. */
export const LMTP_PROMPT_PIECE_MS = 250;

/** LMTP command line, octets: RFC 5321 §4.5.3.1.4 has 512, and its extensions add to that. */
export const LMTP_COMMAND_OCTETS = 4_096;
