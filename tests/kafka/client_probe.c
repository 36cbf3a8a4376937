/*
 * client_probe: connects to a cluster as kdl does, asks every broker a question, and says what it
 * saw.
 *
 *   client_probe [-F FILE] [-X NAME=VALUE]... [-b HOST:PORT,...] [-n ROUNDS] [-p PAUSE_MS | -i]
 *
 * Prints `ok brokers=N topics=N connections=N` on stdout, or one line on stderr, and exits as kdl
 * would. With -n it asks so many times, on the same connections, with pauses in between. With -i it
 * asks the leaders of all partitions for their end offsets instead, prints
 * `offsets ok=N failed=N retries=N` and waits for a line on stdin before each further round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/cluster.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

extern char **environ;

struct options {
    int rounds;
    int pause_ms;
    bool offsets;
};

static enum rc
options_read(struct conf *conf, struct options *options, int argc, char **argv, struct err *e)
{
    enum rc rc = conf_load_env(conf, environ, e);
    int option;

    while (rc == RC_OK && (option = getopt(argc, argv, "b:F:X:n:p:i")) != -1) {
        if (option == 'b')
            rc = conf_set_pair(conf, "bootstrap.servers", optarg, "-b", e);
        else if (option == 'F')
            rc = conf_load_file(conf, optarg, e);
        else if (option == 'X')
            rc = conf_set(conf, optarg, e);
        else if (option == 'n')
            options->rounds = (int)strtol(optarg, NULL, 10);
        else if (option == 'i')
            options->offsets = true;
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

/* --- end offsets of all partitions ---------------------------------------------------------------
 */

struct partition {
    char *topic;
    int32_t number;
};

struct offsets {
    struct partition *partitions;
    uint32_t count;
};

static void
on_target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct offsets *offsets = arg;
    const struct partition *partition = &offsets->partitions[item];

    *out = (struct cluster_target){CLUSTER_LEADER, partition->topic, partition->number};
}

/* A topic for each partition: simple, and Kafka takes it. */
static size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    const struct offsets *offsets = arg;
    struct km_list_offsets_request *request = batch->request;
    struct km_list_offsets_request_partition *rows =
        codec_array(batch->arena, &km_list_offsets_request_partition_desc, (int32_t)batch->count);

    request->topics.items =
        codec_array(batch->arena, &km_list_offsets_request_topic_desc, (int32_t)batch->count);
    if (rows == NULL || request->topics.items == NULL)
        return batch->count;
    request->topics.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        const struct partition *partition = &offsets->partitions[batch->items[i]];

        rows[i].partition_index = partition->number;
        rows[i].timestamp = -1;
        request->topics.items[i].name =
            (struct wire_string){partition->topic, (int32_t)strlen(partition->topic)};
        request->topics.items[i].partitions.items = &rows[i];
        request->topics.items[i].partitions.count = 1;
    }
    return batch->count;
}

static void
settle_one(struct offsets *offsets, struct cluster_fan_batch *batch, struct wire_string topic,
    const struct km_list_offsets_response_partition_response *answer)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct partition *partition = &offsets->partitions[batch->items[i]];

        if (partition->number == answer->partition_index &&
            strlen(partition->topic) == (size_t)topic.size &&
            memcmp(partition->topic, topic.data, (size_t)topic.size) == 0)
            cluster_fan_settle(batch->fan, batch->items[i], answer->error_code);
    }
}

static void
on_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_list_offsets_response *response = batch->response;

    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++)
            settle_one(arg, batch, response->topics.items[i].name,
                &response->topics.items[i].partitions.items[k]);
}

static void
on_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct offsets *offsets = arg;

    (void)code;
    if (rc != RC_OK)
        fprintf(stderr, "%s-%d: %s\n", offsets->partitions[item].topic,
            offsets->partitions[item].number, e->text);
}

static enum rc
offsets_read(struct cluster *cluster, struct offsets *offsets, struct err *e)
{
    const struct cluster_topic *topic;
    size_t position = 0;
    enum rc rc = cluster_refresh(cluster, e);

    while (
        rc == RC_OK && (topic = cluster_map_next_topic(cluster_view(cluster), &position)) != NULL)
        for (int32_t i = 0; i < topic->partition_count; i++) {
            offsets->partitions =
                xrealloc(offsets->partitions, offsets->count + 1, sizeof *offsets->partitions);
            offsets->partitions[offsets->count++] = (struct partition){xstrdup(topic->name), i};
        }
    return rc;
}

static enum rc
offsets_run(struct cluster *cluster, int rounds, struct err *e)
{
    int64_t until_us = loop_now_us(cluster_loop(cluster)) + 20000000;
    struct offsets offsets = {.count = 0};
    enum rc rc = offsets_read(cluster, &offsets, e);

    /* A topic that was just made may be news to this broker. */
    while (rc == RC_OK && offsets.count == 0 && loop_now_us(cluster_loop(cluster)) < until_us) {
        loop_step(cluster_loop(cluster), 20000);
        rc = offsets_read(cluster, &offsets, e);
    }
    for (int i = 0; i < rounds && rc == RC_OK; i++) {
        struct cluster_fan_spec spec = {.api = frame_api(KM_LIST_OFFSETS),
            .item_count = offsets.count,
            .target = on_target,
            .build = on_build,
            .parse = on_parse,
            .done = on_done,
            .arg = &offsets};
        struct cluster_fan_stats stats;

        if (i > 0 && getchar() == EOF)
            break;
        cluster_fan_out(cluster, &spec, &stats);
        printf("offsets ok=%u failed=%u retries=%llu\n", stats.done - stats.failed, stats.failed,
            (unsigned long long)stats.retries);
        fflush(stdout);
    }
    for (uint32_t i = 0; i < offsets.count; i++)
        free(offsets.partitions[i].topic);
    free(offsets.partitions);
    return rc;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static enum rc
probe_run(const struct conf_client *client, const struct options *options, struct err *e)
{
    struct cluster *cluster = NULL;
    struct loop *loop;
    enum rc rc = loop_new(&loop, e);

    if (rc != RC_OK)
        return rc;
    rc = cluster_new(loop, client, &cluster, e);
    if (rc == RC_OK && options->offsets)
        rc = offsets_run(cluster, options->rounds, e);
    for (int i = 0; i < options->rounds && rc == RC_OK && !options->offsets; i++) {
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
