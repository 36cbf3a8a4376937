/* Area produce, first part: acknowledgements and what is stored. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/wire/kerr.h"

static void
acks_all(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t expected = 0;

    for (int i = 0; i < 2; i++) {
        const struct km_produce_response_partition_produce_response *part =
            kc_append(kc, topic, 0, kc_batch_values(kc, "v", 3));

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_int(kc, "base_offset", part->base_offset, expected);
        kc_int(kc, "log_append_time", part->log_append_time_ms, -1);
        if (kc->last->version >= 5)
            kc_int(kc, "log_start_offset", part->log_start_offset, 0);
        expected += 3;
    }
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), expected);
}

static void
acks_1(struct kc *kc)
{
    static const char *const values[] = {"v-0", "v-1"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_values(kc, "v", 2)};
    const struct km_produce_response_partition_produce_response *part;
    struct kc_fetch_options fetch = kc_fetch_defaults();

    options.acks = 1;
    part = kc_produce_part(kc, kc_produce(kc, &options, &append, 1), topic, 0);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "base_offset", part->base_offset, 0);
    kc_log_values(kc, kc_log_read(kc, &fetch, topic, 0, 0, 2), 0, values, 2);
}

static const struct check checks[] = {
    {"produce.acks_all",
        "acks=all is answered with the base offset, and appends right behind the end",
        "ProduceRequestTest", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, acks_all},
    {"produce.acks_1", "acks=1 is answered with 0, and the records can be read", "librdkafka 0008",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, acks_1},
};

const struct check_table c_produce_table = CHECK_TABLE("produce", checks);
