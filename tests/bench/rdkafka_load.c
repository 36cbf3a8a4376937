/*
 * rdkafka_load: what somebody sees who writes and reads with librdkafka as it comes.
 *
 *   rdkafka_load produce BROKERS TOPIC PARTITIONS SECONDS PID [CODEC]
 *   rdkafka_load consume BROKERS TOPIC PARTITIONS SECONDS PID
 *
 * produce: records of 1,000 bytes, as raw_load's, round robin, with librdkafka's own defaults
 * (acks=all, linger 5 ms, batches of at most 1 MB); throughput and latency of what was delivered,
 * and bytes before compression. consume: all partitions from the beginning, to
 * their ends, or for SECONDS. The CPU seconds are those of process PID until it is idle again,
 * for all bytes of records, and our own. Prints figures as "metric<TAB>unit<TAB>value". Exits with
 * 1 where a record is not delivered, or nothing could be read.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/raw.h"

#define RECORD_BYTES 1000
#define RECORDS 1024 /* different ones */
#define LATENCIES_MAX 8000000
#define FLUSH_MS 60000
#define POLL_MS 100
#define MESSAGES_AT_ONCE 10000

struct load {
    const char *topic;
    int32_t partitions;
    double seconds;
    int64_t bytes;
    int64_t *latencies;
    size_t latency_count;
    int64_t failed;
};

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "rdkafka_load: %s\n", why);
        exit(2);
    }
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct load *load = opaque;

    (void)rk;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        load->failed++;
        return;
    }
    load->bytes += (int64_t)message->len;
    if (load->latency_count < LATENCIES_MAX)
        load->latencies[load->latency_count++] = rd_kafka_message_latency(message);
}

static rd_kafka_t *
client_make(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);

    if (rk == NULL) {
        fprintf(stderr, "rdkafka_load: %s\n", why);
        exit(1);
    }
    return rk;
}

/* Returns the seconds until all was delivered. */
static double
produce(struct load *load, rd_kafka_conf_t *conf, enum compress_codec codec)
{
    static uint8_t records[RECORDS][RECORD_BYTES];
    int64_t started, end;
    rd_kafka_topic_t *topic;
    struct env env;
    rd_kafka_t *rk;

    env_init_real(&env);
    for (int i = 0; i < RECORDS; i++)
        raw_value_make(&env, codec, records[i], RECORD_BYTES);
    set(conf, "compression.codec", compress_name(codec));
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, load);
    load->latencies = xcalloc(LATENCIES_MAX, sizeof *load->latencies);
    rk = client_make(RD_KAFKA_PRODUCER, conf);
    topic = rd_kafka_topic_new(rk, load->topic, NULL);
    REQUIRE(topic != NULL);
    started = measure_now_us();
    end = started + (int64_t)(load->seconds * 1e6);
    for (int64_t i = 0; measure_now_us() < end; i++) {
        while (rd_kafka_produce(topic, (int32_t)(i % load->partitions), 0, records[i % RECORDS],
                   RECORD_BYTES, NULL, 0, NULL) != 0)
            rd_kafka_poll(rk, 1);
        rd_kafka_poll(rk, 0);
    }
    rd_kafka_flush(rk, FLUSH_MS);
    load->failed += rd_kafka_outq_len(rk);
    end = measure_now_us();
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return (double)(end - started) / 1e6;
}

/* Returns the seconds until the last record. */
static double
consume(struct load *load, rd_kafka_conf_t *conf)
{
    static rd_kafka_message_t *messages[MESSAGES_AT_ONCE];
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(load->partitions);
    int64_t started = measure_now_us(), last = started, end;
    rd_kafka_queue_t *queue;
    int32_t ended = 0;
    rd_kafka_t *rk;

    set(conf, "group.id", "rdkafka-load");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    rk = client_make(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(rk);
    for (int32_t i = 0; i < load->partitions; i++)
        rd_kafka_topic_partition_list_add(all, load->topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    REQUIRE(rd_kafka_assign(rk, all) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(all);
    queue = rd_kafka_queue_get_consumer(rk);
    end = started + (int64_t)(load->seconds * 1e6);
    while (measure_now_us() < end && ended < load->partitions) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, POLL_MS, messages, MESSAGES_AT_ONCE);

        for (ssize_t i = 0; i < n; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                load->bytes += (int64_t)messages[i]->len;
            else if (messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                ended++;
            else
                load->failed++;
            rd_kafka_message_destroy(messages[i]);
        }
        if (n > 0)
            last = measure_now_us();
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return (double)(last - started) / 1e6;
}

int
main(int argc, char **argv)
{
    bool is_produce = argc > 1 && strcmp(argv[1], "produce") == 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    double seconds, cpu, gb;
    struct load load = {0};
    enum compress_codec codec = COMPRESS_NONE;
    struct rusage usage;

    if (argc < 7 || argc > 8 || (!is_produce && (argc == 8 || strcmp(argv[1], "consume") != 0)) ||
        (argc == 8 && !compress_find(argv[7], &codec))) {
        fprintf(stderr, "usage: rdkafka_load produce|consume BROKERS TOPIC PARTITIONS SECONDS PID "
                        "[CODEC]\n");
        return 2;
    }
    load.topic = argv[3];
    load.partitions = (int32_t)strtol(argv[4], NULL, 10);
    load.seconds = strtod(argv[5], NULL);
    set(conf, "bootstrap.servers", argv[2]);
    cpu = process_cpu_seconds(argv[6]);
    seconds = is_produce ? produce(&load, conf, codec) : consume(&load, conf);
    cpu = process_settle(argv[6]) - cpu;
    if (load.failed > 0 || load.bytes == 0) {
        fprintf(stderr, "rdkafka_load: records failed, or there were none\n");
        return 1;
    }
    gb = (double)load.bytes / 1e9;
    REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
    printf("throughput\tMB/s\t%.1f\n", (double)load.bytes / seconds / 1e6);
    if (is_produce)
        measure_print_latencies(load.latencies, load.latency_count);
    printf("CPU\ts/GB\t%.3f\n", cpu / gb);
    printf("client's CPU\ts/GB\t%.3f\n", measure_cpu_seconds(&usage) / gb);
    free(load.latencies);
    return 0;
}
