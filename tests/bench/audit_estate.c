/*
 * audit_estate: an estate of the size at which an audit is measured.
 *
 *   audit_estate BROKERS TOPICS PARTITIONS GROUPS
 *
 * Makes TOPICS topics estate-00000, ... of PARTITIONS partitions each, and GROUPS groups, of which
 * each has committed an offset in two topics. Exits with 1, and a line, where that fails.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define TOPICS_PER_REQUEST_MAX 200
#define PARTITIONS_PER_REQUEST 4000 /* Kafka refuses 10,000 records of metadata at once */
#define GROUPS_AT_ONCE 100
/* A broker that has just been asked for 10,000 partitions makes them first. */
#define ANSWER_MS 120000

static void
stop(const char *what, const char *why)
{
    fprintf(stderr, "audit_estate: %s: %s\n", what, why);
    exit(1);
}

/* The next answer of an admin request, whose own error ends the program. */
static rd_kafka_event_t *
answer(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);

    if (event == NULL)
        stop(what, "no answer");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop(what, rd_kafka_event_error_string(event));
    return event;
}

static void
topics_make(rd_kafka_t *client, rd_kafka_queue_t *queue, int from, int count, int partitions)
{
    rd_kafka_NewTopic_t **topics = xcalloc((size_t)count, sizeof *topics);
    const rd_kafka_topic_result_t *const *results;
    rd_kafka_event_t *event;
    size_t result_count;

    for (int i = 0; i < count; i++) {
        char name[32];

        snprintf(name, sizeof name, "estate-%05d", from + i);
        topics[i] = rd_kafka_NewTopic_new(name, partitions, 1, NULL, 0);
    }
    rd_kafka_CreateTopics(client, topics, (size_t)count, NULL, queue);
    event = answer(queue, "topics");
    results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &result_count);
    for (size_t i = 0; i < result_count; i++)
        if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            stop(rd_kafka_topic_result_name(results[i]),
                rd_kafka_topic_result_error_string(results[i]));
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(topics, (size_t)count);
    free(topics);
}

/* Asks for an offset of a group in two topics. */
static void
group_ask(rd_kafka_t *client, rd_kafka_queue_t *queue, int group, int topics)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(2);
    rd_kafka_AlterConsumerGroupOffsets_t *alter;
    char id[32];

    for (int i = 0; i < 2; i++) {
        char name[32];

        snprintf(name, sizeof name, "estate-%05d", (group + i) % topics);
        rd_kafka_topic_partition_list_add(offsets, name, 0)->offset = 0;
    }
    snprintf(id, sizeof id, "group-%05d", group);
    alter = rd_kafka_AlterConsumerGroupOffsets_new(id, offsets);
    rd_kafka_AlterConsumerGroupOffsets(client, &alter, 1, NULL, queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(alter);
    rd_kafka_topic_partition_list_destroy(offsets);
}

int
main(int argc, char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_queue_t *queue;
    rd_kafka_t *client;
    char why[512], wait_ms[16];
    int topics, partitions, groups, per_request, asked = 0;

    if (argc != 5 || strtol(argv[3], NULL, 10) < 1) {
        fprintf(stderr, "usage: audit_estate BROKERS TOPICS PARTITIONS GROUPS\n");
        return 2;
    }
    topics = (int)strtol(argv[2], NULL, 10);
    partitions = (int)strtol(argv[3], NULL, 10);
    groups = (int)strtol(argv[4], NULL, 10);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof why) != RD_KAFKA_CONF_OK)
        stop(argv[1], why);
    snprintf(wait_ms, sizeof wait_ms, "%d", ANSWER_MS);
    if (rd_kafka_conf_set(conf, "socket.timeout.ms", wait_ms, why, sizeof why) != RD_KAFKA_CONF_OK)
        stop("socket.timeout.ms", why);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (client == NULL)
        stop(argv[1], why);
    queue = rd_kafka_queue_new(client);
    per_request = partitions < PARTITIONS_PER_REQUEST ? PARTITIONS_PER_REQUEST / partitions : 1;
    if (per_request > TOPICS_PER_REQUEST_MAX)
        per_request = TOPICS_PER_REQUEST_MAX;
    for (int from = 0; from < topics; from += per_request)
        topics_make(client, queue, from, topics - from < per_request ? topics - from : per_request,
            partitions);
    for (int answered = 0; answered < groups; answered++) {
        for (; asked < groups && asked - answered < GROUPS_AT_ONCE; asked++)
            group_ask(client, queue, asked, topics);
        rd_kafka_event_destroy(answer(queue, "groups"));
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return 0;
}
