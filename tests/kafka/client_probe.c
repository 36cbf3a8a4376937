/*
 * client_probe: connects to a cluster as kdl does, asks every broker a question, and says what it
 * saw.
 *
 *   client_probe [-F FILE] [-X NAME=VALUE]... [-b HOST:PORT,...] [-n ROUNDS -p PAUSE_MS]
 *
 * Prints `ok brokers=N topics=N connections=N` on stdout, or one line on stderr, and exits as kdl
 * would. With -n it asks so many times, on the same connections, with pauses in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/kafka/cluster.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

extern char **environ;

struct options {
    int rounds;
    int pause_ms;
};

static enum rc
options_read(struct conf *conf, struct options *options, int argc, char **argv, struct err *e)
{
    enum rc rc = conf_load_env(conf, environ, e);
    int option;

    while (rc == RC_OK && (option = getopt(argc, argv, "b:F:X:n:p:")) != -1) {
        if (option == 'b')
            rc = conf_set_pair(conf, "bootstrap.servers", optarg, "-b", e);
        else if (option == 'F')
            rc = conf_load_file(conf, optarg, e);
        else if (option == 'X')
            rc = conf_set(conf, optarg, e);
        else if (option == 'n')
            options->rounds = (int)strtol(optarg, NULL, 10);
        else if (option == 'p')
            options->pause_ms = (int)strtol(optarg, NULL, 10);
        else
            rc =
                err_set(e, RC_CONFIG, "usage: client_probe [-F FILE] [-X NAME=VALUE] [-b ADDRESS]");
    }
    return rc;
}

/* Metadata, then a question to each broker by itself. */
static enum rc
round_run(struct cluster *cluster, struct err *e)
{
    const struct cluster_map *map = cluster_view(cluster);
    const struct cluster_broker *broker;
    struct km_describe_cluster_request request;
    struct conn_stats stats;
    size_t position = 0;
    enum rc rc = cluster_refresh(cluster, e);

    codec_init(&km_describe_cluster_request_desc, &request);
    while (rc == RC_OK && (broker = cluster_map_next_broker(map, &position)) != NULL) {
        struct cluster_target target = {CLUSTER_BROKER, NULL, broker->id};
        struct conn_reply *reply = NULL;

        rc = cluster_call(
            cluster, &target, frame_api(KM_DESCRIBE_CLUSTER), NULL, &request, 0, &reply, e);
        conn_reply_unref(reply);
    }
    cluster_stats(cluster, &stats);
    if (rc == RC_OK)
        printf("ok brokers=%zu topics=%zu connections=%llu\n", map_count(&map->brokers),
            map_count(&map->topics), (unsigned long long)stats.connections);
    return rc;
}

static enum rc
probe_run(const struct conf_client *client, const struct options *options, struct err *e)
{
    struct cluster *cluster = NULL;
    struct loop *loop;
    enum rc rc = loop_new(&loop, e);

    if (rc != RC_OK)
        return rc;
    rc = cluster_new(loop, client, &cluster, e);
    for (int i = 0; i < options->rounds && rc == RC_OK; i++) {
        int64_t until_us = loop_now_us(loop) + options->pause_ms * INT64_C(1000);

        rc = round_run(cluster, e);
        while (i + 1 < options->rounds && loop_now_us(loop) < until_us)
            loop_step(loop, until_us - loop_now_us(loop));
    }
    cluster_free(cluster);
    loop_free(loop);
    return rc;
}

int
main(int argc, char **argv)
{
    const struct conf_client *client;
    struct conf *conf = conf_new();
    struct options options = {.rounds = 1};
    struct err e = {.code = RC_OK};
    enum rc rc = options_read(conf, &options, argc, argv, &e);

    if (rc == RC_OK)
        rc = conf_finish(conf, &client, &e);
    if (rc == RC_OK)
        rc = probe_run(client, &options, &e);
    if (rc != RC_OK)
        fprintf(stderr, "client_probe: %s\n", e.text);
    conf_free(conf);
    return (int)err_exit_code(rc);
}
