/* The configs of single groups: which values they take, and what counts without any. */
#include "refbroker/coord/group_configs.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    broker_world_fini(*state);
    free(*state);
    return 0;
}

static bool
is_taken(void **state, const char *name, const char *value)
{
    struct broker_world *world = *state;
    struct err e;
    enum rc rc = group_configs_check(world->broker, name, value, &e);

    assert_true(rc == RC_OK || rc == RC_CONFIG);
    if (rc != RC_OK)
        assert_non_null(strstr(e.text, name));
    return rc == RC_OK;
}

static void
each_default_is_a_value_that_is_taken(void **state)
{
    struct broker_world *world = *state;
    size_t count;
    const struct group_config_row *rows = group_configs_rows(&count);

    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        const char *value;

        arena_init(&arena, 4096);
        value = group_configs_default(world->broker, &rows[i], &arena);
        assert_non_null(value);
        assert_true(is_taken(state, rows[i].def.name, value));
        arena_fini(&arena);
    }
}

static void
a_number_lies_between_two_settings_of_the_broker(void **state)
{
    static const struct {
        const char *name, *low, *high, *below, *above;
    } cases[] = {
        {"consumer.session.timeout.ms", "45000", "60000", "44999", "60001"},
        {"share.session.timeout.ms", "45000", "60000", "44999", "60001"},
        {"share.delivery.count.limit", "2", "10", "1", "11"},
        {"share.partition.max.record.locks", "100", "4000", "99", "4001"},
        {"share.record.lock.duration.ms", "15000", "60000", "14999", "60001"},
        {"streams.heartbeat.interval.ms", "5000", "15000", "4999", "15001"},
        {"streams.num.standby.replicas", "0", "2", "-1", "3"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(is_taken(state, cases[i].name, cases[i].low));
        assert_true(is_taken(state, cases[i].name, cases[i].high));
        assert_false(is_taken(state, cases[i].name, cases[i].below));
        assert_false(is_taken(state, cases[i].name, cases[i].above));
        assert_false(is_taken(state, cases[i].name, ""));
        assert_false(is_taken(state, cases[i].name, "12x"));
        assert_false(is_taken(state, cases[i].name, "99999999999999999999"));
    }
    assert_false(is_taken(state, "no.such.config", "1"));
    assert_true(is_taken(state, "no.such.config", NULL));
}

static void
a_share_group_begins_at_an_end_or_some_time_ago(void **state)
{
    static const char *const good[] = {"earliest", "latest", "by_duration:PT1H",
        "by_duration:P1DT2H3M4.5S", "by_duration:pt0.25s", " by_duration:PT1H ",
        "by_duration:P10D"};
    static const char *const bad[] = {"Latest", "none", "", "by_duration:", "by_duration:P",
        "by_duration:PT", "by_duration:1h", "by_duration:P1H", "by_duration:PT1D",
        "by_duration:PT1S2M", "by_duration:PT1S1S", "by_duration:PT-1H", "by_duration:PT1.5H",
        "by_duration:PT1", "by_duration:P1DT", "by_duration:PT1HT1M"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(is_taken(state, "share.auto.offset.reset", good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(is_taken(state, "share.auto.offset.reset", bad[i]));
}

/* A group's own configs: pairs of names and values, then NULL. */
static const char *
own(void *arg, const char *name)
{
    const char *const *pairs = arg;

    while (*pairs != NULL && strcmp(*pairs, name) != 0)
        pairs += 2;
    return *pairs == NULL ? NULL : pairs[1];
}

static void
a_session_is_longer_than_the_interval_of_its_heartbeats(void **state)
{
    static struct {
        const char *pairs[5];
        const char *said; /* "": it is fine */
    } cases[] = {
        {{NULL}, ""},
        {{"streams.heartbeat.interval.ms", "44999", NULL}, ""},
        {{"streams.heartbeat.interval.ms", "45000", NULL},
            "streams.session.timeout.ms must be greater than streams.heartbeat.interval.ms"},
        {{"streams.heartbeat.interval.ms", "45000", "streams.session.timeout.ms", "45001", NULL},
            ""},
        {{"share.session.timeout.ms", "5000", NULL},
            "share.session.timeout.ms must be greater than share.heartbeat.interval.ms"},
        {{"consumer.session.timeout.ms", "100", "consumer.heartbeat.interval.ms", "101", NULL},
            "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms"},
    };
    struct broker_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {.text = ""};
        enum rc rc = group_configs_check_together(world->broker, own, cases[i].pairs, &e);

        assert_int_equal(rc, *cases[i].said == '\0' ? RC_OK : RC_CONFIG);
        assert_string_equal(e.text, cases[i].said);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_default_is_a_value_that_is_taken),
        cmocka_unit_test(a_number_lies_between_two_settings_of_the_broker),
        cmocka_unit_test(a_session_is_longer_than_the_interval_of_its_heartbeats),
        cmocka_unit_test(a_share_group_begins_at_an_end_or_some_time_ago),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
