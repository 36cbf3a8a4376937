/*
 * acked_load: a producer that counts what was acknowledged, and a consumer that looks whether all
 * of it is there.
 *
 *   acked_load BROKERS TOPIC PARTITIONS SECONDS [CONFIG=VALUE]
 *
 * Makes the topic, then writes numbered records to all partitions for SECONDS with an idempotent
 * librdkafka producer, through whatever happens to the broker. In the end it reads everything back:
 * each acknowledged record must be there exactly once, in order within its partition, at the offset
 * that its acknowledgement named. Prints one line and exits with 0 only if that holds.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"

#define PARTITIONS_MAX 64
#define IN_FLIGHT_MAX 2000
#define FINISH_MS 60000
#define READ_MS 60000

struct partition {
    int64_t sent;    /* numbers handed to the producer */
    int64_t *offset; /* of each acknowledged number; -1: not acknowledged */
    int64_t capacity;
    int64_t acked;
    int64_t seen_next; /* the next number that the reader expects at the earliest */
};

struct load {
    rd_kafka_t *producer;
    const char *topic;
    int32_t partitions;
    struct partition parts[PARTITIONS_MAX];
    int64_t in_flight;
    int64_t failed;
    bool fatal;
};

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct load *load = opaque;
    struct partition *part = &load->parts[message->partition];
    int64_t number;

    (void)rk;
    load->in_flight--;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        load->failed++;
        return;
    }
    memcpy(&number, message->payload, sizeof number);
    part->offset[number] = message->offset;
    part->acked++;
}

static void
failed(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    struct load *load = opaque;
    char text[256];

    (void)rk;
    if (error != RD_KAFKA_RESP_ERR__FATAL)
        return;
    load->fatal = true;
    rd_kafka_fatal_error(load->producer, text, sizeof text);
    fprintf(stderr, "fatal: %s (%s)\n", text, reason);
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];

    REQUIRE(rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK);
}

static rd_kafka_t *
client_new(struct load *load, rd_kafka_type_t type, const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *rk;

    set(conf, "bootstrap.servers", brokers);
    set(conf, "reconnect.backoff.ms", "10");
    set(conf, "reconnect.backoff.max.ms", "50");
    set(conf, "log_level", "0");
    rd_kafka_conf_set_opaque(conf, load);
    if (type == RD_KAFKA_PRODUCER) {
        set(conf, "enable.idempotence", "true");
        set(conf, "linger.ms", "2");
        set(conf, "retry.backoff.ms", "20");
        set(conf, "message.timeout.ms", "0");
        set(conf, "request.timeout.ms", "5000");
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
        rd_kafka_conf_set_error_cb(conf, failed);
    } else {
        set(conf, "group.id", "acked-load");
        set(conf, "enable.auto.commit", "false");
        set(conf, "enable.partition.eof", "true");
        set(conf, "check.crcs", "true");
    }
    rk = rd_kafka_new(type, conf, text, sizeof text);
    REQUIRE(rk != NULL);
    return rk;
}

static bool
topic_create(struct load *load, char *config)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(load->producer);
    char text[256], *equals;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(load->topic, load->partitions, 1, text, sizeof text);
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event;
    size_t count = 0;
    bool ok;

    if (config != NULL && (equals = strchr(config, '=')) != NULL) {
        *equals = '\0';
        rd_kafka_NewTopic_set_config(topic, config, equals + 1);
    }
    rd_kafka_CreateTopics(load->producer, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, 10000);
    results = event == NULL ? NULL
                            : rd_kafka_CreateTopics_result_topics(
                                  rd_kafka_event_CreateTopics_result(event), &count);
    ok = count == 1 && rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!ok && count == 1)
        fprintf(stderr, "topic: %s\n", rd_kafka_topic_result_error_string(results[0]));
    rd_kafka_NewTopic_destroy(topic);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return ok;
}

static void
send_one(struct load *load, int32_t index)
{
    struct partition *part = &load->parts[index];
    int64_t payload[16] = {part->sent};

    if (part->sent == part->capacity) {
        part->capacity = part->capacity == 0 ? 1024 : part->capacity * 2;
        part->offset = xrealloc(part->offset, (size_t)part->capacity, sizeof *part->offset);
    }
    part->offset[part->sent] = -1;
    if (rd_kafka_producev(load->producer, RD_KAFKA_V_TOPIC(load->topic),
            RD_KAFKA_V_PARTITION(index), RD_KAFKA_V_VALUE(payload, sizeof payload),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    part->sent++;
    load->in_flight++;
}

static void
produce_all(struct load *load, const struct env *env, int64_t seconds)
{
    int64_t end = env_now_ms(env) + seconds * 1000;

    while (env_now_ms(env) < end && !load->fatal) {
        for (int32_t i = 0; i < load->partitions && load->in_flight < IN_FLIGHT_MAX; i++)
            send_one(load, i);
        rd_kafka_poll(load->producer, 1);
    }
    rd_kafka_flush(load->producer, FINISH_MS);
}

/* One record read back; false where it breaks a promise. */
static bool
record_check(struct load *load, const rd_kafka_message_t *message)
{
    struct partition *part = &load->parts[message->partition];
    int64_t number;

    memcpy(&number, message->payload, sizeof number);
    if (number < part->seen_next || number >= part->sent) {
        fprintf(stderr, "%s-%d offset %" PRId64 ": record %" PRId64 " again or out of order\n",
            load->topic, message->partition, message->offset, number);
        return false;
    }
    for (; part->seen_next < number; part->seen_next++)
        if (part->offset[part->seen_next] >= 0) {
            fprintf(stderr, "%s-%d: record %" PRId64 " was acknowledged and is lost\n", load->topic,
                message->partition, part->seen_next);
            return false;
        }
    part->seen_next = number + 1;
    if (part->offset[number] >= 0 && part->offset[number] != message->offset) {
        fprintf(stderr,
            "%s-%d: record %" PRId64 " acknowledged at %" PRId64 ", found at %" PRId64 "\n",
            load->topic, message->partition, number, part->offset[number], message->offset);
        return false;
    }
    return true;
}

static bool
read_all(struct load *load, const struct env *env, const char *brokers, int64_t *records)
{
    rd_kafka_t *consumer = client_new(load, RD_KAFKA_CONSUMER, brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(load->partitions);
    int64_t end = env_now_ms(env) + READ_MS;
    int32_t ended = 0;
    bool ok = true;

    for (int32_t i = 0; i < load->partitions; i++)
        rd_kafka_topic_partition_list_add(list, load->topic, i)->offset = 0;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (ok && ended < load->partitions && env_now_ms(env) < end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);

        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended++;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ok = record_check(load, message);
            ++*records;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return ok && ended == load->partitions;
}

int
main(int argc, char **argv)
{
    static struct load load;
    int64_t acked = 0, sent = 0, records = 0;
    struct env env;
    bool ok;

    if (argc < 5) {
        fprintf(stderr, "usage: acked_load BROKERS TOPIC PARTITIONS SECONDS [CONFIG=VALUE]\n");
        return 2;
    }
    env_init_real(&env);
    load.topic = argv[2];
    load.partitions = (int32_t)strtol(argv[3], NULL, 10);
    REQUIRE(load.partitions > 0 && load.partitions <= PARTITIONS_MAX);
    load.producer = client_new(&load, RD_KAFKA_PRODUCER, argv[1]);
    if (!topic_create(&load, argc > 5 ? argv[5] : NULL))
        return 1;
    produce_all(&load, &env, strtoll(argv[4], NULL, 10));
    ok = read_all(&load, &env, argv[1], &records) && !load.fatal && load.failed == 0;
    for (int32_t i = 0; i < load.partitions; i++) {
        acked += load.parts[i].acked;
        sent += load.parts[i].sent;
        for (; ok && load.parts[i].seen_next < load.parts[i].sent; load.parts[i].seen_next++)
            if (load.parts[i].offset[load.parts[i].seen_next] >= 0) {
                fprintf(stderr, "%s-%d: record %" PRId64 " was acknowledged and is lost\n",
                    load.topic, i, load.parts[i].seen_next);
                ok = false;
            }
        free(load.parts[i].offset);
    }
    printf("%s: %" PRId64 " sent, %" PRId64 " acknowledged, %" PRId64 " failed, %" PRId64
           " read: %s\n",
        load.topic, sent, acked, load.failed, records, ok && acked > 0 ? "exact" : "NOT EXACT");
    rd_kafka_destroy(load.producer);
    return ok && acked > 0 ? 0 : 1;
}
