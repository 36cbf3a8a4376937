/*
 * txn_rdkafka: transactions of librdkafka, which follows the protocol before KIP-890.
 *
 *   txn_rdkafka BROKERS TOPIC TRANSACTIONS RECORDS
 *
 * Writes so many transactions of so many records, every third of which is aborted, and commits the
 * offset of its group in each. Then reads the topic (one partition) with read_committed and prints
 * "records SEEN offset COMMITTED"; exits with 1 where a record is there that was aborted, or out of
 * order.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PATIENCE_MS 60000
#define GROUP "txn-rdkafka"
#define TEXT_BYTES 512

static rd_kafka_t *
client_new(rd_kafka_type_t type, const char *brokers, const char *const settings[][2])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[TEXT_BYTES];
    rd_kafka_t *rk;

    REQUIRE(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) ==
            RD_KAFKA_CONF_OK);
    for (size_t i = 0; settings[i][0] != NULL; i++)
        REQUIRE(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) ==
                RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(type, conf, text, sizeof text);
    REQUIRE(rk != NULL);
    return rk;
}

static void
must(rd_kafka_error_t *error, const char *what)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s: %s\n", what, rd_kafka_error_string(error));
    exit(1);
}

/* The offset of the group becomes the number of the transaction plus 1. */
static void
offset_send(rd_kafka_t *producer, const char *topic, int64_t number)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(GROUP);

    rd_kafka_topic_partition_list_add(offsets, topic, 0)->offset = number + 1;
    must(rd_kafka_send_offsets_to_transaction(producer, offsets, group, PATIENCE_MS), "offsets");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
}

static void
write_all(const char *brokers, const char *topic, int64_t transactions, int64_t records)
{
    static const char *const settings[][2] = {
        {"transactional.id", "txn-rdkafka"}, {"transaction.timeout.ms", "60000"}, {NULL, NULL}};
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, brokers, settings);

    must(rd_kafka_init_transactions(producer, PATIENCE_MS), "init");
    for (int64_t i = 0; i < transactions; i++) {
        must(rd_kafka_begin_transaction(producer), "begin");
        for (int64_t k = 0; k < records; k++) {
            char value[TEXT_BYTES];

            snprintf(value, sizeof value, "%" PRId64, i);
            REQUIRE(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                        RD_KAFKA_V_VALUE(value, strlen(value)),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END) == 0);
        }
        offset_send(producer, topic, i);
        if (i % 3 == 2)
            must(rd_kafka_abort_transaction(producer, PATIENCE_MS), "abort");
        else
            must(rd_kafka_commit_transaction(producer, PATIENCE_MS), "commit");
    }
    rd_kafka_destroy(producer);
}

/* The number of records that read_committed shows, -1 for a wrong one. */
static int64_t
read_all(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *place = rd_kafka_topic_partition_list_new(1);
    int64_t seen = 0, last = -1;
    bool ended = false;

    rd_kafka_topic_partition_list_add(place, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    REQUIRE(rd_kafka_assign(consumer, place) == 0);
    while (!ended && seen >= 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, PATIENCE_MS);

        REQUIRE(message != NULL);
        ended = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            char text[TEXT_BYTES];
            int64_t number;

            snprintf(text, sizeof text, "%.*s", (int)message->len, (const char *)message->payload);
            number = strtoll(text, NULL, 10);
            seen = number % 3 == 2 || number < last ? -1 : seen + 1;
            last = number;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(place);
    return seen;
}

int
main(int argc, char **argv)
{
    static const char *const settings[][2] = {{"group.id", GROUP},
        {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
        {"enable.auto.commit", "false"}, {NULL, NULL}};
    rd_kafka_topic_partition_list_t *place;
    rd_kafka_t *consumer;
    int64_t seen;

    if (argc != 5) {
        fputs("usage: txn_rdkafka BROKERS TOPIC TRANSACTIONS RECORDS\n", stderr);
        return 2;
    }
    write_all(argv[1], argv[2], strtoll(argv[3], NULL, 10), strtoll(argv[4], NULL, 10));
    consumer = client_new(RD_KAFKA_CONSUMER, argv[1], settings);
    seen = read_all(consumer, argv[2]);
    place = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(place, argv[2], 0);
    REQUIRE(rd_kafka_committed(consumer, place, PATIENCE_MS) == 0);
    printf("records %" PRId64 " offset %" PRId64 "\n", seen, place->elems[0].offset);
    rd_kafka_topic_partition_list_destroy(place);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return seen < 0;
}
