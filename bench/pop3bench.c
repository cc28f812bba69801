/* pop3bench - a closed-loop POP3 load generator: one thread, epoll, optional TLS.
 *   gcc -O2 -Wall -o pop3bench pop3bench.c -lssl -lcrypto
 *
 * -s SCENARIO  login   greeting USER PASS STAT QUIT
 *              poll    ... STAT UIDL LIST QUIT
 *              fetch   ... STAT UIDL LIST RETR 1..K QUIT
 *              delete  ... STAT (RETR n, DELE n) 1..K QUIT
 *              idle    ... STAT, hold -d seconds once all -c are in, QUIT
 *              raw     not POP3: sends "<user number>\n", reads to EOF (see rawsend.c)
 * -c N connections at a time   -n N sessions in all   -t N seconds (start none after)
 * -u N users (PREFIX0..)       -U PREFIX (b)          -w PASSWORD (secret)
 * -f N number of the first user (0)                   -R N start N sessions a second, evenly
 * -k K first K messages only   -P N pipeline window after STAT (1 = none)
 * -a N come from N addresses, 127.1.0.1 and on (whatever the system takes)
 * -T implicit TLS   -S STLS    -x N stall timeout, s (60)   -r N idle: logins in flight (20)
 * -q TCP_QUICKACK after each read (a server without TCP_NODELAY otherwise waits
 *    for our delayed ACK, up to 40 ms a reply)
 * -H ADDR (127.0.0.1)  -p PORT   -V also count bare LF/CR in replies (costs CPU)
 *
 * Prints one JSON line.  Latencies (ms) run from connect(): to the +OK of PASS
 * ("pass_*") and to the +OK of QUIT ("sess_*").  A slot reopens when the server
 * has closed.  octets are RETR bytes after unstuffing; stat_mismatch counts
 * sessions where they differ from what STAT said (all messages fetched only). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum scen { LOGIN, POLL, FETCH, DELETE, IDLE, RAW };
static const char *scen_names[] = { "login", "poll", "fetch", "delete", "idle", "raw" };
enum phase { FREE, CONNECTING, HANDSHAKE, GREET, STLS, USER, PASS, STAT, STEPS, HOLD, CLOSING, RAWREAD };
#define RBUF (256 * 1024)

struct conn {
    int fd, user;
    enum phase ph;
    SSL *ssl;
    double t0, tact;                 /* start; last progress */
    long nmsg, stat_octets, sent, got, steps;
    int body;                        /* inside a multi-line reply */
    long cur;                        /* octets of the current body, minus stuffing */
    long octets;
    char line[600];                  /* an unfinished status line */
    int linelen;
    char tail[8];                    /* bytes of an undecided terminator */
    int taillen;
    int done;                        /* QUIT answered */
};

static enum scen scen;
static int conns = 10, addresses, users = 50, first, window = 1, tls, stls, quickack, verify, ramp = 20, port = 110, ep;
static long want_sessions, maxk;
static double secs, rate, hold = 10, stall = 60, now, tstart, tlast;
static const char *host = "127.0.0.1", *prefix = "b", *passwd = "secret";
static struct conn *cs;
static int *busy;
static char rb_[RBUF + 64], *const rb = rb_ + 64;
static SSL_CTX *ctx;
static long started, completed, messages, octets, wire, stuffed, errors, mismatch, bare, opening, authed;
static int cursor, holding, quitting;
static double hold_from, *sess_lat, *pass_lat;
static long nsess_lat, npass_lat, cap_s, cap_p;
static char first_error[300];

static double clk(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static void push(double **a, long *n, long *cap, double v) {
    if (*n == *cap && !(*a = realloc(*a, (*cap = *cap ? *cap * 2 : 4096) * sizeof v))) abort();
    (*a)[(*n)++] = v;
}
static int cmpd(const void *a, const void *b) {
    double x = *(double *)a, y = *(double *)b;
    return (x > y) - (x < y);
}
static double pct(double *a, long n, double p) { return n ? a[(long)(p * (n - 1) + .5)] * 1e3 : 0; }

static void close_conn(struct conn *c) {
    if (c->ssl) SSL_free(c->ssl);
    c->ssl = NULL;
    close(c->fd);
    if (c->ph < STEPS) opening--;
    busy[c->user]--;
    c->ph = FREE;
}
static void fail(struct conn *c, const char *why, const char *detail) {
    errors++;
    if (!first_error[0]) snprintf(first_error, sizeof first_error, "user %d phase %d step %ld: %s %.200s", c->user, c->ph, c->got, why, detail);
    close_conn(c);
}

/* The commands after STAT, by number; returns 1 if the reply has many lines. */
static int step(struct conn *c, long s, char *out, int *len) {
    if (s == c->steps - 1) { *len = sprintf(out, "QUIT\r\n"); return 0; }
    if (scen == DELETE) {
        *len = sprintf(out, s & 1 ? "DELE %ld\r\n" : "RETR %ld\r\n", s / 2 + 1);
        return !(s & 1);
    }
    if (s == 0) *len = sprintf(out, "UIDL\r\n");
    else if (s == 1) *len = sprintf(out, "LIST\r\n");
    else *len = sprintf(out, "RETR %ld\r\n", s - 1);
    return 1;
}
static int is_multi(struct conn *c, long s) { char b[32]; int n; return step(c, s, b, &n); }
static int is_retr(struct conn *c, long s) { return scen == DELETE ? !(s & 1) && s < c->steps - 1 : scen == FETCH && s >= 2 && s < c->steps - 1; }

static int put(struct conn *c, const char *b, int n) { /* commands are short: a partial write is an error */
    int w = c->ssl ? SSL_write(c->ssl, b, n) : send(c->fd, b, n, MSG_NOSIGNAL);
    if (w == n) return 0;
    fail(c, "short write", strerror(errno));
    return -1;
}
static int send_steps(struct conn *c) {
    char b[8192];
    int n = 0, k;
    if (c->sent > c->got + window / 2) return 0;
    while (c->sent < c->steps && c->sent < c->got + window && n < (int)sizeof b - 64) { step(c, c->sent++, b + n, &k); n += k; }
    return n ? put(c, b, n) : 0;
}
static void interest(struct conn *c, unsigned ev, int op) {
    struct epoll_event e = { .events = ev, .data.ptr = c };
    epoll_ctl(ep, op, c->fd, &e);
}

static int start(struct conn *c) {
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
    int i, one = 1, u = cursor;
    for (i = 0; i < users && busy[u]; i++) u = (u + 1) % users;  /* the next user without a session */
    cursor = (u + 1) % users;
    memset(c, 0, sizeof *c);
    inet_pton(AF_INET, host, &sa.sin_addr);
    c->user = u;
    busy[u]++;
    started++;
    c->t0 = c->tact = clk();
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->ph = tls || scen == RAW ? CONNECTING : GREET;
    opening++;
    if (addresses) {
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001 + started % addresses) };
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) { fail(c, "bind", strerror(errno)); return -1; }
    }
    if (connect(c->fd, (struct sockaddr *)&sa, sizeof sa) && errno != EINPROGRESS) { fail(c, "connect", strerror(errno)); return -1; }
    interest(c, c->ph == CONNECTING ? EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
    return 0;
}

static void handshake(struct conn *c) {
    char b[256];
    int r;
    if (!c->ssl) { c->ssl = SSL_new(ctx); SSL_set_fd(c->ssl, c->fd); }
    r = SSL_connect(c->ssl);
    if (r == 1) {
        interest(c, EPOLLIN, EPOLL_CTL_MOD);
        if (!stls) { c->ph = GREET; return; }
        c->ph = USER;
        put(c, b, snprintf(b, sizeof b, "USER %s%d\r\n", prefix, first + c->user));
        return;
    }
    r = SSL_get_error(c->ssl, r);
    if (r == SSL_ERROR_WANT_READ) interest(c, EPOLLIN, EPOLL_CTL_MOD);
    else if (r == SSL_ERROR_WANT_WRITE) interest(c, EPOLLOUT, EPOLL_CTL_MOD);
    else fail(c, "TLS handshake", ERR_reason_error_string(ERR_get_error()) ?: "");
}

/* A whole status line (without CRLF). Returns -1 if the connection is gone. */
static int status(struct conn *c, char *l) {
    char b[256];
    if (l[0] != '+') {
        fail(c, "reply", l);
        return -1;
    }
    c->tact = now;
    switch (c->ph) {
    case GREET:
        if (stls) { c->ph = STLS; return put(c, "STLS\r\n", 6); }
        c->ph = USER;
        return put(c, b, snprintf(b, sizeof b, "USER %s%d\r\n", prefix, first + c->user));
    case STLS: c->ph = HANDSHAKE; handshake(c); return c->ph == FREE ? -1 : 0;
    case USER: c->ph = PASS; return put(c, b, snprintf(b, sizeof b, "PASS %s\r\n", passwd));
    case PASS:
        push(&pass_lat, &npass_lat, &cap_p, clk() - c->t0);
        c->ph = STAT;
        return put(c, "STAT\r\n", 6);
    case STAT: {
        long k;
        if (sscanf(l, "+OK %ld %ld", &c->nmsg, &c->stat_octets) != 2) { fail(c, "bad STAT", l); return -1; }
        k = maxk && maxk < c->nmsg ? maxk : c->nmsg;
        c->steps = scen == POLL ? 3 : scen == FETCH ? k + 3 : scen == DELETE ? 2 * k + 1 : 1;
        opening--;
        authed++;
        c->ph = scen == IDLE ? HOLD : STEPS;
        return scen == IDLE ? 0 : send_steps(c);
    }
    case STEPS:
        if (is_multi(c, c->got)) { c->body = 1; c->cur = 0; return 0; }
        if (++c->got == c->steps) {
            double t = clk();
            push(&sess_lat, &nsess_lat, &cap_s, t - c->t0);
            tlast = t;
            completed++;
            octets += c->octets;
            if (scen == FETCH && c->steps == c->nmsg + 3 && c->octets != c->stat_octets) mismatch++;
            c->done = 1;
            c->ph = CLOSING;
            return 0;
        }
        return send_steps(c);
    default: fail(c, "unexpected line", l); return -1;
    }
}

static const char *nldot(const char *p, const char *e) { /* next "\n.", or NULL */
#ifdef __SSE2__
    for (; e - p >= 17; p += 16) {
        int m = _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('\n')),
                                                _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 1)), _mm_set1_epi8('.'))));
        if (m) return p + __builtin_ctz(m);
    }
#endif
    for (; e - p >= 2; p++) if (p[0] == '\n' && p[1] == '.') return p;
    return NULL;
}

/* n fresh bytes lie at rb; the undecided tail goes in front of them. */
static void feed(struct conn *c, int n) {
    char *p = rb, *e = rb + n;
    wire += n;
    if (verify) for (char *q = rb; q < e; q++) if (*q == '\n' && q > rb && q[-1] != '\r') bare++;
    if (c->taillen) { p -= c->taillen; memcpy(p, c->tail, c->taillen); c->taillen = 0; }
    while (p < e) {
        if (!c->body) {
            char *q = memchr(p, '\n', e - p), *l = p;
            int len = (q ? q + 1 : e) - p;
            if (c->linelen + len >= (int)sizeof c->line) { fail(c, "line too long", ""); return; }
            if (!q || c->linelen) { memcpy(c->line + c->linelen, p, len); c->linelen += len; l = c->line; }
            p += len;
            if (!q) return;
            len = c->linelen ? c->linelen : len;
            c->linelen = 0;
            if (len < 2 || l[len - 2] != '\r') { fail(c, "line without CRLF", ""); return; }
            l[len - 2] = 0;
            if (status(c, l)) return;
            if (c->ph == HANDSHAKE) return;
            if (c->body) { /* an empty body's terminator follows the status line's CRLF */
                c->cur = -2;
                p -= 2; p[0] = '\r'; p[1] = '\n';
            }
            continue;
        }
        char *q = (char *)nldot(p, e);
        if (q && e - q < 4 && (e - q < 3 || q[2] == '\r')) { /* undecided: keep from the byte before */
            if (q > p) q--;
        } else if (!q) {
            q = e[-1] == '\n' ? e - 1 - (e - 1 > p) : e;
        } else if (q[2] == '\r' && q[3] == '\n') {
            if (q > p && q[-1] != '\r') { fail(c, "terminator after a bare LF", ""); return; }
            c->cur += q + 1 - p;
            p = q + 4;
            c->body = 0;
            if (is_retr(c, c->got)) { messages++; c->octets += c->cur; }
            c->got++;
            c->tact = now;
            if (send_steps(c)) return;
            continue;
        } else { /* a stuffed dot */
            if (q[2] != '.') { fail(c, "line with an unstuffed dot", ""); return; }
            stuffed++;
            c->cur += q + 1 - p - 1;
            p = q + 1;
            continue;
        }
        c->cur += q - p;
        c->taillen = e - q;
        memcpy(c->tail, q, c->taillen);
        return;
    }
}

static void eof(struct conn *c) {
    if (c->ph == RAWREAD) { tlast = clk(); completed++; push(&sess_lat, &nsess_lat, &cap_s, tlast - c->t0); close_conn(c); }
    else if (c->done) close_conn(c);
    else fail(c, "connection closed", c->line);
}

static void readable(struct conn *c) {
    int n, one = 1;
    if (quickack) setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
    if (!c->ssl) {
        n = recv(c->fd, rb, RBUF, 0);
        if (n > 0 && c->ph == RAWREAD) { c->tact = now; wire += n; for (const char *p = rb; (p = nldot(p, rb + n)); p++) stuffed++; }
        else if (n > 0) feed(c, n);
        else if (n == 0 || errno != EAGAIN) eof(c);
        return;
    }
    for (int i = 0; c->ph != FREE && (i < 16 || SSL_has_pending(c->ssl)); i++) {
        if ((n = SSL_read(c->ssl, rb, RBUF)) > 0) { feed(c, n); continue; }
        int e = errno;
        n = SSL_get_error(c->ssl, n);
        ERR_clear_error();
        if (n == SSL_ERROR_WANT_READ) return;
        if (!c->done) snprintf(c->line, sizeof c->line, "(SSL error %d, errno %d, %ld of %ld replies, %ld octets into this one)", n, n == SSL_ERROR_SYSCALL ? e : 0, c->got, c->steps, c->cur);
        eof(c);
        return;
    }
}

static long cpu_busy(void) { /* machine-wide busy jiffies */
    unsigned long long u = 0, ni = 0, s = 0, id = 0, io = 0, irq = 0, si = 0;
    FILE *f = fopen("/proc/stat", "r");
    if (f && fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", &u, &ni, &s, &id, &io, &irq, &si) != 7) u = 0;
    if (f) fclose(f);
    return u + ni + s + irq + si;
}

int main(int argc, char **argv) {
    int o, i;
    scen = -1;
    while ((o = getopt(argc, argv, "s:c:n:t:u:a:U:f:R:w:k:P:TSd:x:r:H:p:Vq")) != -1) switch (o) {
    case 's': for (i = 0; i < 6; i++) if (!strcmp(optarg, scen_names[i])) scen = i; break;
    case 'c': conns = atoi(optarg); break;
    case 'n': want_sessions = atol(optarg); break;
    case 't': secs = atof(optarg); break;
    case 'u': users = atoi(optarg); break;
    case 'a': addresses = atoi(optarg); break;
    case 'U': prefix = optarg; break;
    case 'f': first = atoi(optarg); break;
    case 'R': rate = atof(optarg); break;
    case 'w': passwd = optarg; break;
    case 'k': maxk = atol(optarg); break;
    case 'P': window = atoi(optarg); break;
    case 'T': tls = 1; break;
    case 'S': stls = 1; break;
    case 'd': hold = atof(optarg); break;
    case 'x': stall = atof(optarg); break;
    case 'r': ramp = atoi(optarg); break;
    case 'H': host = optarg; break;
    case 'p': port = atoi(optarg); break;
    case 'V': verify = 1; break;
    case 'q': quickack = 1; break;
    default: return 2;
    }
    if ((int)scen < 0 || conns < 1 || users < 1 || window < 1) { fprintf(stderr, "see the head of pop3bench.c for the options\n"); return 2; }
    if (scen == IDLE) want_sessions = conns;
    if (!want_sessions && !secs) want_sessions = users;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (tls || stls) {
        ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_read_ahead(ctx, 1);
        SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    cs = calloc(conns, sizeof *cs);
    busy = calloc(users, sizeof *busy);
    ep = epoll_create1(0);
    long cpu0 = cpu_busy();
    double tcheck = 0;
    now = tstart = tlast = clk();
    for (;;) {
        struct epoll_event ev[256];
        int active = 0, more = (!want_sessions || started < want_sessions) && (!secs || now - tstart < secs) && errors < 1000;
        for (i = 0; i < conns; i++) {
            if (cs[i].ph == FREE && more && (scen != IDLE || opening < ramp) && (!rate || started <= (clk() - tstart) * rate)) {
                if (start(&cs[i])) continue;
                more = !want_sessions || started < want_sessions;
            }
            if (cs[i].ph != FREE) active++;
        }
        if (!active && (!more || errors >= 1000)) break;
        int n = epoll_wait(ep, ev, 256, rate ? 5 : holding ? 100 : 1000);
        now = clk();
        for (i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (c->ph == FREE) continue;
            if (c->ph == CONNECTING) {
                int e = 0;
                socklen_t l = sizeof e;
                getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
                if (e) { fail(c, "connect", strerror(e)); continue; }
                if (scen == RAW) {
                    char b[32];
                    opening--;
                    c->ph = RAWREAD;
                    interest(c, EPOLLIN, EPOLL_CTL_MOD);
                    put(c, b, sprintf(b, "%d\n", first + c->user));
                    continue;
                }
                c->ph = HANDSHAKE;
            }
            if (c->ph == HANDSHAKE) { handshake(c); continue; }
            readable(c);
        }
        if (scen == IDLE && !holding && authed + errors >= want_sessions) {
            holding = 1;
            hold_from = now;
            printf("READY %ld %ld\n", authed, errors);
        }
        if (holding && !quitting && now - hold_from >= hold) {
            quitting = 1;
            for (i = 0; i < conns; i++) if (cs[i].ph == HOLD) { cs[i].ph = STEPS; cs[i].tact = now; send_steps(&cs[i]); }
        }
        if (now - tcheck > 1) {
            tcheck = now;
            for (i = 0; i < conns; i++)
                if (cs[i].ph != FREE && cs[i].ph != HOLD && now - cs[i].tact > stall) fail(&cs[i], "stalled", cs[i].line);
        }
    }
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    double wall = tlast - tstart, all = clk() - tstart;
    double me = ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1e-6;
    double mach = (double)(cpu_busy() - cpu0) / sysconf(_SC_CLK_TCK);
    if (wall <= 0) wall = all;
    qsort(sess_lat, nsess_lat, sizeof(double), cmpd);
    qsort(pass_lat, npass_lat, sizeof(double), cmpd);
    printf("{\"scenario\":\"%s\",\"conns\":%d,\"pipeline\":%d,\"tls\":%d,\"wall\":%.3f,\"sessions\":%ld,\"messages\":%ld,\"octets\":%ld,"
           "\"wire_bytes\":%ld,\"errors\":%ld,\"stat_mismatch\":%ld,\"bare_lf\":%ld,\"sess_s\":%.1f,\"msg_s\":%.1f,\"mib_s\":%.2f,"
           "\"sess_p50\":%.3f,\"sess_p95\":%.3f,\"sess_p99\":%.3f,\"pass_p50\":%.3f,\"pass_p95\":%.3f,\"pass_p99\":%.3f,"
           "\"client_cpu\":%.3f,\"machine_cpu\":%.3f,\"first_error\":\"",
           scen_names[scen], conns, window, tls ? 1 : stls ? 2 : 0, wall, completed, messages, octets, wire, errors, mismatch, bare,
           completed / wall, messages / wall, wire / wall / 1048576, pct(sess_lat, nsess_lat, .5), pct(sess_lat, nsess_lat, .95),
           pct(sess_lat, nsess_lat, .99), pct(pass_lat, npass_lat, .5), pct(pass_lat, npass_lat, .95), pct(pass_lat, npass_lat, .99),
           me / all, mach / all);
    for (char *p = first_error; *p; p++) putchar(*p == '"' || *p == '\\' || (unsigned char)*p < 32 ? '\'' : *p);
    printf("\"}\n");
    return errors ? 1 : 0;
}
