/* The topics of coordinators, as Kafka 4.3 makes them. */
#include "refbroker/meta/internal_topics.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct internal_topic_settings settings = {
    .partitions = 5, .segment_bytes = 2000000, .min_isr = 3};

static void
assert_configs(enum internal_topic topic, const char *wanted)
{
    struct internal_topic_config configs[INTERNAL_TOPIC_CONFIGS_MAX];
    size_t count = internal_topics_configs(topic, &settings, configs), size = 0;
    char text[512] = "";

    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(
            text + size, sizeof text - size, "%s=%s\n", configs[i].name, configs[i].value);
    assert_string_equal(text, wanted);
}

static void
configs_are_those_that_kafka_gives_them(void **state)
{
    (void)state;
    assert_configs(INTERNAL_OFFSETS,
        "cleanup.policy=compact\ncompression.type=producer\nsegment.bytes=2000000\n");
    assert_configs(INTERNAL_TRANSACTIONS,
        "cleanup.policy=compact\ncompression.type=uncompressed\nsegment.bytes=2000000\n"
        "unclean.leader.election.enable=false\n");
    assert_configs(INTERNAL_SHARE,
        "cleanup.policy=delete\ncompression.type=producer\nmin.insync.replicas=3\n"
        "retention.ms=-1\nsegment.bytes=2000000\n");
}

static void
they_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(internal_topics_find("__consumer_offsets"), INTERNAL_OFFSETS);
    assert_int_equal(internal_topics_find("__transaction_state"), INTERNAL_TRANSACTIONS);
    assert_int_equal(internal_topics_find("__share_group_state"), INTERNAL_SHARE);
    assert_int_equal(internal_topics_find("__share_group_states"), INTERNAL_TOPIC_COUNT);
    assert_int_equal(internal_topics_find(""), INTERNAL_TOPIC_COUNT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_are_those_that_kafka_gives_them),
        cmocka_unit_test(they_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
