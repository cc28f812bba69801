/* noop_probe - how long a NOOP waits while others keep the server busy.
 *   gcc -O2 -Wall -o noop_probe noop_probe.c
 *   noop_probe [-H ADDR] -p PORT [-U USER] [-w PASSWORD] [-i MICROSECONDS]
 *
 * Logs in, prints READY, then sends a NOOP every 2 ms (-i) whether or not the one
 * before was answered: a server that stands still for 200 ms delays a hundred of
 * them, not one. SIGTERM ends the sending; what is unanswered is waited for (60 s), then one
 * JSON line: samples, p50, p95, p99, max in ms from send() to the reply, and
 * errors. It asks for SCHED_FIFO, so that its own waiting for a processor is not
 * taken for the server's ("realtime" says whether it got it). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000000 /* over half an hour at the usual pace */

static volatile sig_atomic_t stopping;
static double sent_at[MOST], waited[MOST];
static long sent, answered, errors;
static char first_error[200];

static void stop(int sig) { (void)sig; stopping = 1; }

static double clk(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(double p) {
    return answered ? waited[(long)(p * (answered - 1) + .5)] * 1e3 : 0;
}

static void fault(const char *what) {
    if (!errors++) snprintf(first_error, sizeof first_error, "%s", what);
}

/* Reads one status line, blocking; the login only. */
static int good_line(int fd) {
    char c, first = 0;
    while (read(fd, &c, 1) == 1) {
        if (!first) first = c;
        if (c == '\n') return first == '+';
    }
    return 0;
}

static int say(int fd, const char *command) {
    return send(fd, command, strlen(command), MSG_NOSIGNAL) == (ssize_t)strlen(command) && good_line(fd);
}

/* Takes the replies that have come; a reply may come in pieces. Returns 0 at the end of the stream. */
static int take_replies(int fd) {
    static int at_begin = 1, good;
    char in[4096];
    ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
    double now = clk();
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    for (ssize_t i = 0; i < n; i++) {
        if (at_begin) good = in[i] == '+';
        at_begin = in[i] == '\n';
        if (!at_begin) continue;
        if (!good) fault("a NOOP was refused");
        if (answered == sent) { fault("a reply to nothing"); continue; }
        waited[answered] = now - sent_at[answered];
        answered++;
    }
    return n > 0;
}

int main(int argc, char **argv) {
    const char *host = "127.0.0.1", *user = "b0", *password = "secret";
    int o, port = 0, one = 1;
    double every = .002;
    while ((o = getopt(argc, argv, "H:p:U:w:i:")) != -1) switch (o) {
    case 'H': host = optarg; break;
    case 'p': port = atoi(optarg); break;
    case 'U': user = optarg; break;
    case 'w': password = optarg; break;
    case 'i': every = atof(optarg) * 1e-6; break;
    default: return 2;
    }
    if (!port || every <= 0) { fprintf(stderr, "see the head of noop_probe.c for the options\n"); return 2; }
    struct sigaction action = { .sa_handler = stop };
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sched_param sp = { .sched_priority = 1 };
    int realtime = sched_setscheduler(0, SCHED_FIFO, &sp) == 0;

    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, host, &sa.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa)) { perror("connect"); return 1; }
    char line[300];
    if (!good_line(fd)) { fprintf(stderr, "no greeting\n"); return 1; }
    snprintf(line, sizeof line, "USER %s\r\n", user);
    if (!say(fd, line)) { fprintf(stderr, "USER was refused\n"); return 1; }
    snprintf(line, sizeof line, "PASS %s\r\n", password);
    if (!say(fd, line)) { fprintf(stderr, "PASS was refused\n"); return 1; }
    printf("READY\n");

    double next = clk(), give_up = 0;
    while (!stopping || answered < sent) {
        double now = clk();
        if (stopping && !give_up) give_up = now + 60;
        if (give_up && now > give_up) { fault("a NOOP was never answered"); break; }
        if (!stopping && now >= next && sent < MOST) {
            sent_at[sent++] = now;
            if (send(fd, "NOOP\r\n", 6, MSG_NOSIGNAL) != 6) { fault("the connection broke"); break; }
            next = now - next > every ? now + every : next + every;
        }
        double wait = stopping ? .1 : next - clk();
        if (wait < 0) wait = 0;
        struct timespec t = { .tv_sec = (time_t)wait, .tv_nsec = (long)((wait - (time_t)wait) * 1e9) };
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (ppoll(&p, 1, &t, NULL) > 0 && !take_replies(fd)) { fault("the server closed the connection"); break; }
    }
    qsort(waited, answered, sizeof *waited, compare);
    printf("{\"samples\":%ld,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"realtime\":%d,\"errors\":%ld,\"first_error\":\"%s\"}\n",
           answered, percentile_ms(.5), percentile_ms(.95), percentile_ms(.99), percentile_ms(1), realtime, errors, first_error);
    return errors ? 1 : 0;
}
