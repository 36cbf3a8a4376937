/*
 * start_probe: how long a broker takes from its start to its first answer, and what it then holds
 * while nothing happens.
 *
 *   start_probe [-k] [-t TOPIC] HOST PORT COMMAND [ARGUMENT]...
 *
 * Starts the command, asks for Metadata every millisecond until an answer comes; with -t it sends a
 * record to partition 0 of TOPIC until one is acknowledged. Then it waits until the process is
 * idle, prints figures as "metric<TAB>unit<TAB>value", and ends it with SIGTERM; with -k it waits
 * for nothing and kills it with -9. The command's output goes to stderr.
 */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/raw.h"

#define LIMIT_US INT64_C(300000000)
#define ANSWER_SECONDS 20
#define METADATA_VERSION 1
#define RECORD_BYTES 1 /* raw_produce_make makes one record at least */

struct probe {
    const char *host;
    const char *port;
    struct buf request;
    bool produce;
};

static void
request_make(struct probe *probe, const char *topic)
{
    struct raw_produce produce = {.topic = topic, .partitions = 1, .batch_bytes = RECORD_BYTES};
    struct km_metadata_request metadata;
    struct env env;

    buf_init(&probe->request, RAW_BYTES_MAX);
    if (topic != NULL) {
        env_init_real(&env);
        probe->produce = true;
        raw_produce_make(&env, &produce, &probe->request);
        return;
    }
    codec_init(&km_metadata_request_desc, &metadata); /* an empty list: of no topic */
    REQUIRE(frame_request_encode(frame_api(KM_METADATA), METADATA_VERSION, 1, "probe", &metadata,
                &probe->request, NULL) == RC_OK);
}

static bool
has_broker(const uint8_t *frame, size_t size, struct arena *arena)
{
    struct km_metadata_response response;
    int32_t correlation;

    return frame_response_decode(frame_api(KM_METADATA), METADATA_VERSION, frame, size,
               &correlation, arena, &response, NULL) == RC_OK &&
           response.brokers.count > 0;
}

/* One try: connected, and answered as it should be. */
static bool
is_answering(const struct probe *probe)
{
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    int fd = raw_try_dial(probe->host, probe->port);
    const uint8_t *frame;
    struct arena arena;
    bool good = false;
    size_t size;

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    arena_init(&arena, RAW_BYTES_MAX);
    frame = raw_exchange(fd, &probe->request, &arena, &size);
    if (frame != NULL)
        good = probe->produce ? raw_produce_error(frame, size, 1) == KE_NONE
                              : has_broker(frame, size, &arena);
    arena_fini(&arena);
    close(fd);
    return good;
}

static pid_t
command_start(char **command)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* The time until the first answer, 0 where none comes. */
static double
answer_wait(const struct probe *probe, pid_t pid, int64_t started)
{
    while (measure_now_us() - started < LIMIT_US && waitpid(pid, NULL, WNOHANG) == 0) {
        if (is_answering(probe))
            return (double)(measure_now_us() - started) / 1e3;
        poll(NULL, 0, 1);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    const char *topic = NULL;
    bool kill_at_once = false;
    struct probe probe = {0};
    int option;
    double answered;
    int64_t started;
    char text[16];
    pid_t pid;

    while ((option = getopt(argc, argv, "+kt:")) != -1) {
        kill_at_once = kill_at_once || option == 'k';
        topic = option == 't' ? optarg : topic;
    }
    if (argc - optind < 3) {
        fprintf(stderr, "usage: start_probe [-k] [-t TOPIC] HOST PORT COMMAND [ARGUMENT]...\n");
        return 2;
    }
    probe.host = argv[optind];
    probe.port = argv[optind + 1];
    request_make(&probe, topic);
    started = measure_now_us();
    pid = command_start(argv + optind + 2);
    answered = pid > 0 ? answer_wait(&probe, pid, started) : 0;
    if (answered > 0) {
        snprintf(text, sizeof text, "%d", (int)pid);
        printf("first %s\tms\t%.1f\n", topic == NULL ? "answer" : "ack", answered);
    }
    if (answered > 0 && !kill_at_once) {
        printf("CPU until idle\ts\t%.2f\n", process_settle(text));
        printf("idle RSS\tMB\t%.1f\n", process_memory_mb(text, "Rss:"));
        printf("idle PSS\tMB\t%.1f\n", process_memory_mb(text, "Pss:"));
    }
    if (pid > 0 && kill(pid, kill_at_once ? SIGKILL : SIGTERM) == 0)
        waitpid(pid, NULL, 0);
    return answered > 0 ? 0 : 1;
}
