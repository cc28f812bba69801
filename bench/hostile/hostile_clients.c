/* hostile_clients - clients that mean harm: one thread, epoll, optional TLS.
 *   gcc -O2 -Wall -o hostile_clients hostile_clients.c -lssl -lcrypto
 *
 * -k KIND   idle         greeted, says nothing
 *           drip         an octet of a line every -i ms, never its end
 *           deaf         logs in, asks for message -m again and again, reads nothing (a window of 0)
 *           ahead        not logged in, sends -n CAPAs in one write, reads nothing (a window of 0)
 *           slow         logs in, asks for message -m again and again, and reads -b octets every -i ms
 *           flood        comes and goes as fast as it is taken
 *           reset        sends CAPA and breaks off by RST
 *           midway       asks for message -m and breaks off by RST in the middle of it
 *           half         the beginning of a TLS handshake, never its end
 *           hello        a TLS handshake up to our key exchange, then gone: all work is the server's
 *           handshake    whole TLS handshakes, one after the other
 *           renegotiate  TLS 1.2, then asks for another handshake on the same connection
 *           keyupdate    TLS 1.3, logged in: asks for new keys before every NOOP, -n times
 *           line         -b octets without an end of line
 *           pipeline     logs in and sends -n NOOPs in one write
 *           nonsense     -n lines that are no commands, in one write
 *           inject       STLS and commands behind it, in one segment
 *           guess        USER and a wrong PASS, again and again
 *           headless     for a port where a PROXY header is due: says half of one
 *           babble       the same: says what is none
 * -p PORT   -c N at a time (100)   -t SECONDS (5)   -a N source addresses, 127.S.x.y (1)   -S S (99)
 * -u N users (50), -f number of the first (1), PREFIX b, password secret     -T implicit TLS
 * -x a PROXY header first, each of another client     -o once: nobody comes again     -R N new ones a second
 *
 * Prints READY when all have come that were let in, or -t is half over; then, at the end, one JSON line.
 * "must_not" counts what no client may get: a login by a guess, a command from before TLS answered under
 * it, a second handshake, a reply too few or too many. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { IDLE, DRIP, DEAF, AHEAD, SLOW, FLOOD, RESET, MIDWAY, HALF, HELLO, HANDSHAKE, RENEGOTIATE, KEYUPDATE, LINE, PIPELINE,
            NONSENSE, INJECT, GUESS, HEADLESS, BABBLE, KINDS };
static const char *kind_names[] = { "idle", "drip", "deaf", "ahead", "slow", "flood", "reset", "midway", "half", "hello", "handshake",
    "renegotiate", "keyupdate", "line", "pipeline", "nonsense", "inject", "guess", "headless", "babble" };
enum phase { FREE, CONNECTING, SECURING, GREETING, ACTING, DONE };

struct conn {
    int fd, user, number;
    enum phase ph;
    SSL *ssl;
    int greeted, good, at_begin, writing, rounds, secured;
    long lines, owed, sent;
    double next; /* when to do something by itself, or 0 */
};

static enum kind kind = KINDS;
#define READS_NOTHING (kind == DEAF || kind == AHEAD)
static int conns = 100, addresses = 1, second = 99, users = 50, first = 1, tls, proxied, once, port, ep, message = 1, wants_tls;
static long count, quantity;
static double secs = 5, every, rate, now, begun;
static struct conn *cs;
static SSL_CTX *ctx;
static char *script;
static long script_octets;
static long opened, refused_by_system, greeted, told, dropped, ended_by_server, at_once, most_at_once, logins, handshakes,
    replies, octets_sent, octets_read, rounds, must_not;
static char said[200];

static double clk(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static void never(const char *what) {
    if (!must_not++) snprintf(said, sizeof said, "%s", what);
}
static void interest(struct conn *c, int op, unsigned events) {
    struct epoll_event e = { .events = events, .data.ptr = c };
    epoll_ctl(ep, op, c->fd, &e);
}

/* Gone, politely or by RST. */
static void leave(struct conn *c, int rudely) {
    if (rudely) {
        struct linger l = { 1, 0 };
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    }
    if (c->ssl) { SSL_set_quiet_shutdown(c->ssl, 1); SSL_free(c->ssl); }
    c->ssl = NULL;
    close(c->fd);
    if (c->greeted) at_once--;
    c->ph = once ? DONE : FREE;
}

static long put(struct conn *c, const char *b, long n) {
    long w = c->ssl ? SSL_write(c->ssl, b, n) : send(c->fd, b, n, MSG_NOSIGNAL);
    if (c->ssl) ERR_clear_error();
    if (w > 0) octets_sent += w;
    return w;
}
static void say(struct conn *c, const char *text) { put(c, text, strlen(text)); }

/* Writes on with what is sent over and over; the socket takes it as the server reads it. */
static void write_on(struct conn *c, long whole) {
    while (c->sent < whole) {
        long at = c->sent % script_octets, n = script_octets - at;
        if (n > whole - c->sent) n = whole - c->sent;
        n = put(c, script + at, n);
        if (n <= 0) {
            if (!c->writing) interest(c, EPOLL_CTL_MOD, (READS_NOTHING ? 0 : EPOLLIN) | EPOLLOUT);
            c->writing = 1;
            return;
        }
        c->sent += n;
    }
    if (c->writing) interest(c, EPOLL_CTL_MOD, READS_NOTHING ? 0 : EPOLLIN);
    c->writing = 0;
}

static void start(struct conn *c) {
    struct sockaddr_in sa = { .sin_family = AF_INET }, to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1, source = c->number % addresses;
    memset((char *)c + offsetof(struct conn, ph), 0, sizeof *c - offsetof(struct conn, ph));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) { perror("socket"); exit(1); }
    if (READS_NOTHING || kind == SLOW || kind == MIDWAY) {
        int little = 4096;
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    sa.sin_addr.s_addr = htonl(127u << 24 | second << 16 | (source / 250 + 1) << 8 | (source % 250 + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->at_begin = 1;
    c->ph = CONNECTING;
    if (bind(c->fd, (struct sockaddr *)&sa, sizeof sa) ||
        (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)) {
        refused_by_system++;
        close(c->fd);
        c->ph = FREE;
        return;
    }
    interest(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void logs_in(struct conn *c, const char *behind) {
    char b[300];
    snprintf(b, sizeof b, "USER b%d\r\nPASS secret\r\n%s", c->user, behind);
    say(c, b);
}

/* The greeting has come, and TLS before it where it is due. */
static void act(struct conn *c) {
    char b[300];
    c->ph = ACTING;
    switch (kind) {
    case FLOOD: return leave(c, 0);
    case DRIP: c->next = now + every; return;
    case RESET: say(c, "CAPA\r\n"); return leave(c, 1);
    case HANDSHAKE: return leave(c, 0);
    case DEAF: case SLOW:
        snprintf(b, sizeof b, "RETR %d\r\nRETR %d\r\nRETR %d\r\n", message, message, message);
        logs_in(c, b);
        interest(c, EPOLL_CTL_MOD, 0);
        if (kind == SLOW) c->next = now + every;
        return;
    case AHEAD: interest(c, EPOLL_CTL_MOD, 0); return write_on(c, count * 6);
    case MIDWAY: snprintf(b, sizeof b, "RETR %d\r\n", message); return logs_in(c, b);
    case KEYUPDATE: c->owed = 2; return logs_in(c, "");
    case LINE: return write_on(c, quantity);
    case PIPELINE: c->owed = 2 + count; logs_in(c, ""); return write_on(c, count * 6);
    case NONSENSE: return write_on(c, count * script_octets);
    case INJECT:
        snprintf(b, sizeof b, "STLS\r\nUSER b%d\r\nPASS secret\r\nSTAT\r\n", c->user);
        return say(c, b);
    case GUESS: snprintf(b, sizeof b, "USER b%d\r\nPASS %ld-%d\r\n", c->user, rounds, c->number); return say(c, b);
    default: return;
    }
}

static void update_keys(struct conn *c) {
    SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED);
    say(c, "NOOP\r\n");
    c->owed++;
    c->rounds++;
}

/* A whole line has begun and ended; `plus` says how. */
static void line(struct conn *c, int plus) {
    c->lines++;
    if (c->ph == GREETING) {
        if (!plus) { told++; return; }
        greeted++;
        c->greeted = 1;
        if (++at_once > most_at_once) most_at_once = at_once;
        return act(c);
    }
    replies++;
    if (c->owed && c->lines - 1 > c->owed) never("more replies than commands");
    switch (kind) {
    case GUESS:
        if (c->lines == 2) return;
        if (plus) never("a guess was let in");
        rounds++;
        c->lines = 1;
        return act(c);
    case PIPELINE:
        if (!plus) never("a good command was refused");
        if (c->lines == 3) logins++;
        if (c->lines - 1 == c->owed) { rounds++; leave(c, 0); }
        return;
    case KEYUPDATE:
        if (c->lines < 3) return;
        if (c->lines == 3) logins++;
        if (c->rounds < count) return update_keys(c);
        rounds++;
        return leave(c, 0);
    case INJECT:
        if (c->lines > 2) never("a command behind STLS was answered");
        return;
    default: return;
    }
}

static void gone(struct conn *c) {
    ended_by_server++;
    if (c->lines == 0 && c->ph <= GREETING) dropped++;
    if (kind == INJECT && c->lines == 2) rounds++;
    if (kind == PIPELINE && c->greeted && c->lines - 1 < c->owed) never("the server closed before it had answered");
    leave(c, 0);
}

static void readable(struct conn *c) {
    static char in[65536];
    long most = kind == SLOW ? quantity : (long)sizeof in;
    for (;;) {
        enum phase was = c->ph;
        long n = c->ssl ? SSL_read(c->ssl, in, most) : recv(c->fd, in, most, 0);
        if (n <= 0) {
            int again = c->ssl ? SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN;
            ERR_clear_error();
            if (!again) gone(c);
            return;
        }
        octets_read += n;
        if (kind == MIDWAY && c->ph == ACTING && octets_read % 7 == 0) { rounds++; return leave(c, 1); }
        if (kind == SLOW && c->ph == ACTING) return;
        for (long i = 0; i < n && c->ph != FREE && c->ph != DONE; i++) {
            if (c->at_begin) c->good = in[i] == '+';
            c->at_begin = in[i] == '\n';
            if (c->at_begin) line(c, c->good);
        }
        if (c->ph == FREE || c->ph == DONE) return;
        if ((READS_NOTHING || kind == SLOW) && c->ph == ACTING && was == GREETING) return;
    }
}

static void secured(struct conn *c) {
    handshakes++;
    c->ph = GREETING;
    if (kind != RENEGOTIATE) return;
    rounds++;
    SSL_renegotiate(c->ssl);
    SSL_do_handshake(c->ssl);
    ERR_clear_error();
}

static void tls_news(const SSL *ssl, int where, int what) {
    (void)what;
    struct conn *c = SSL_get_app_data(ssl);
    if (where & SSL_CB_HANDSHAKE_DONE && c->secured++) never("TLS was renegotiated");
}

static void secure(struct conn *c) {
    int r = SSL_do_handshake(c->ssl);
    if (r == 1) { interest(c, EPOLL_CTL_MOD, EPOLLIN); secured(c); if (c->ph == GREETING) readable(c); return; }
    r = SSL_get_error(c->ssl, r);
    ERR_clear_error();
    if (r == SSL_ERROR_WANT_READ) {
        /* Once its answer is there, the server has done what is dear. */
        interest(c, EPOLL_CTL_MOD, EPOLLIN);
        if (kind == HELLO && c->rounds++ > 0) { rounds++; leave(c, 1); }
        return;
    }
    if (r == SSL_ERROR_WANT_WRITE) return interest(c, EPOLL_CTL_MOD, EPOLLOUT);
    gone(c);
}

static void connected(struct conn *c) {
    int e = 0;
    socklen_t l = sizeof e;
    char b[100];
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
    if (e) { refused_by_system++; return leave(c, 0); }
    opened++;
    interest(c, EPOLL_CTL_MOD, EPOLLIN);
    c->ph = GREETING;
    if (proxied) {
        unsigned r = random();
        snprintf(b, sizeof b, "PROXY TCP4 10.%u.%u.%u 127.0.0.1 %u %d\r\n", r >> 16 & 255, r >> 8 & 255, r & 255, 1024 + r % 60000, port);
        say(c, b);
    }
    switch (kind) {
    case HALF: put(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11); return;
    case HEADLESS: say(c, "PROXY TCP4 10.0.0.1 "); return;
    case BABBLE: say(c, "\x16\x03\x01 nothing of the kind\r\n"); return;
    case HELLO:
        if (opened % 2) break;
        /* every other one does not even wait for the answer */
        c->rounds = 1;
        break;
    default: break;
    }
    if (!wants_tls) return;
    c->ph = SECURING;
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    if (kind == RENEGOTIATE) { SSL_set_app_data(c->ssl, c); SSL_set_info_callback(c->ssl, tls_news); }
    secure(c);
}

static void due(struct conn *c) {
    c->next = now + every;
    if (kind == DRIP) say(c, "N");
    if (kind == SLOW) readable(c);
}

static void make_script(void) {
    if (kind == LINE) { script = malloc(script_octets = 65536); memset(script, 'A', 65536); return; }
    const char *one = kind == NONSENSE ? "NOOP NOOP\r\n" : kind == AHEAD ? "CAPA\r\n" : "NOOP\r\n";
    long times = kind == NONSENSE ? 1 : count > 0 ? count : 1;
    script_octets = strlen(one) * times;
    script = malloc(script_octets + 1);
    for (long i = 0; i < times; i++) memcpy(script + i * strlen(one), one, strlen(one));
}

int main(int argc, char **argv) {
    int o, i, is_ready = 0;
    while ((o = getopt(argc, argv, "k:p:c:t:a:S:u:f:Txob:n:i:m:R:")) != -1) switch (o) {
    case 'k': for (i = 0; i < KINDS; i++) if (!strcmp(optarg, kind_names[i])) kind = i; break;
    case 'p': port = atoi(optarg); break;
    case 'c': conns = atoi(optarg); break;
    case 't': secs = atof(optarg); break;
    case 'a': addresses = atoi(optarg); break;
    case 'S': second = atoi(optarg); break;
    case 'u': users = atoi(optarg); break;
    case 'f': first = atoi(optarg); break;
    case 'T': tls = 1; break;
    case 'x': proxied = 1; break;
    case 'o': once = 1; break;
    case 'b': quantity = atol(optarg); break;
    case 'n': count = atol(optarg); break;
    case 'i': every = atof(optarg) / 1e3; break;
    case 'm': message = atoi(optarg); break;
    case 'R': rate = atof(optarg); break;
    default: return 2;
    }
    if (kind == KINDS || !port) { fprintf(stderr, "see the head of hostile_clients.c for the options\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    wants_tls = tls || kind == HELLO || kind == HANDSHAKE || kind == RENEGOTIATE || kind == KEYUPDATE;
    if (wants_tls) {
        ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
        if (kind == RENEGOTIATE) SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    }
    make_script();
    cs = calloc(conns, sizeof *cs);
    for (i = 0; i < conns; i++) { cs[i].number = i; cs[i].user = first + i % users; }
    ep = epoll_create1(0);
    begun = now = clk();
    double looked = 0;
    long made = 0;
    int hand = 0;
    while (now - begun < secs) {
        struct epoll_event ev[512];
        /* A few hundred at a time, so that those that are there are heard between. */
        for (i = 0; i < conns && i < 256; i++, hand = (hand + 1) % conns) {
            if (cs[hand].ph != FREE || (rate && made >= (now - begun) * rate)) continue;
            start(&cs[hand]);
            made++;
        }
        int n = epoll_wait(ep, ev, 512, made < conns || !once ? 1 : 10);
        now = clk();
        for (i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (c->ph == FREE || c->ph == DONE) continue;
            if (c->ph == CONNECTING) connected(c);
            else if (c->ph == SECURING) secure(c);
            else {
                if (ev[i].events & EPOLLOUT) write_on(c, kind == LINE ? quantity : kind == NONSENSE ? count * script_octets : count * 6);
                if (c->ph == FREE || c->ph == DONE) continue;
                if (ev[i].events & ~EPOLLOUT) { if (READS_NOTHING && c->ph == ACTING) gone(c); else readable(c); }
            }
        }
        if (every && now - looked > .005) {
            looked = now;
            for (i = 0; i < conns; i++) if (cs[i].ph == ACTING && cs[i].next && now > cs[i].next) due(&cs[i]);
        }
        if (!is_ready && (made >= conns || now - begun > secs / 2)) { is_ready = 1; printf("READY\n"); }
    }
    long left = at_once;
    printf("{\"kind\":\"%s\",\"opened\":%ld,\"refused_by_system\":%ld,\"greeted\":%ld,\"told\":%ld,\"dropped\":%ld,"
           "\"ended_by_server\":%ld,\"most_at_once\":%ld,\"left\":%ld,\"logins\":%ld,\"handshakes\":%ld,\"replies\":%ld,"
           "\"rounds\":%ld,\"octets_sent\":%ld,\"octets_read\":%ld,\"must_not\":%ld,\"said\":\"%s\"}\n",
           kind_names[kind], opened, refused_by_system, greeted, told, dropped, ended_by_server, most_at_once, left, logins,
           handshakes, replies, rounds, octets_sent, octets_read, must_not, said);
    return must_not ? 1 : 0;
}
