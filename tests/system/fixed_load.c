/*
 * fixed_load: writes the same records wherever it is pointed at, timestamps included.
 *
 *   fixed_load BROKERS TOPIC PARTITIONS RECORDS [DIFFERENT]
 *
 * DIFFERENT is the number of one record that gets another byte in its value. For tests that compare
 * two clusters.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define FIRST_TIMESTAMP_MS INT64_C(1700000000000)
#define FLUSH_MS 30000

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];

    REQUIRE(rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK);
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    *(int64_t *)opaque += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

int
main(int argc, char **argv)
{
    int64_t failed = 0, records, different;
    rd_kafka_conf_t *conf;
    char text[256];
    rd_kafka_t *rk;
    int32_t partitions;

    if (argc < 5) {
        fprintf(stderr, "usage: fixed_load BROKERS TOPIC PARTITIONS RECORDS [DIFFERENT]\n");
        return 2;
    }
    partitions = (int32_t)strtol(argv[3], NULL, 10);
    records = strtoll(argv[4], NULL, 10);
    different = argc > 5 ? strtoll(argv[5], NULL, 10) : -1;
    conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    /* The same batches everywhere: one record each. */
    set(conf, "batch.num.messages", "1");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, &failed);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    REQUIRE(rk != NULL);
    for (int64_t i = 0; i < records; i++) {
        char key[32], value[128];
        int size = snprintf(value, sizeof value, "record %" PRId64 " of a fixed load", i);

        snprintf(key, sizeof key, "key-%" PRId64, i);
        value[0] = (char)(value[0] + (i == different));
        while (
            rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[2]),
                RD_KAFKA_V_PARTITION((int32_t)(i % partitions)), RD_KAFKA_V_KEY(key, strlen(key)),
                RD_KAFKA_V_VALUE(value, (size_t)size), RD_KAFKA_V_TIMESTAMP(FIRST_TIMESTAMP_MS + i),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(rk, 10);
        rd_kafka_poll(rk, 0);
    }
    rd_kafka_flush(rk, FLUSH_MS);
    failed += rd_kafka_outq_len(rk);
    rd_kafka_destroy(rk);
    return failed == 0 ? 0 : 1;
}
