/* The topics of coordinators, as Kafka 4.3 makes them. */
#include "refbroker/meta/internal_topics.h"

#include <stdio.h>
#include <string.h>

#include "refbroker/coord/groups.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/coord/txns.h"
#include "tests/sim/broker_world.h"
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

/* --- in a broker ------------------------------------------------------------------------------ */

static void
assert_made(struct broker_world *world, const char *name, int32_t partitions)
{
    const struct topic *topic = topics_find(&world->broker->topics, name, strlen(name));

    assert_non_null(topic);
    assert_int_equal(topic->partition_count, partitions);
    assert_string_equal(topic_configs_get(&topic->configs, "segment.bytes"), "3000000");
}

static void
they_are_made_as_the_settings_say(void **state)
{
    static const char *const given[] = {"offsets.topic.num.partitions=7",
        "offsets.topic.segment.bytes=3000000", "transaction.state.log.num.partitions=3",
        "transaction.state.log.segment.bytes=3000000",
        "share.coordinator.state.topic.num.partitions=2",
        "share.coordinator.state.topic.segment.bytes=3000000", NULL};
    struct broker_world world;

    (void)state;
    broker_world_init(&world, 1);
    world.settings = given;
    assert_null(broker_world_start(&world));
    (void)groups_ready(world.broker->groups);
    (void)txns_ready(world.broker->txns);
    (void)share_states_ready(world.broker->share_states);
    broker_world_rest(&world, 200);
    assert_made(&world, GROUPS_TOPIC, 7);
    assert_made(&world, TXNS_TOPIC, 3);
    assert_made(&world, SHARE_STATES_TOPIC, 2);
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_are_those_that_kafka_gives_them),
        cmocka_unit_test(they_are_found_by_name),
        cmocka_unit_test(they_are_made_as_the_settings_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
