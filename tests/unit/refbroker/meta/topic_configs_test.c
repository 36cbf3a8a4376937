/* The table of topic configs against what Kafka 4.3.1 answered (topic_configs_kafka.def), then what
 * the broker reads out of them. */
#include "refbroker/meta/topic_configs.h"

#include "tests/unit/unit.h"

static const struct {
    const char *name, *value, *answer;
    bool agrees;
} answers[] = {
#define AGREES(name, value, shown) {name, value, shown, true},
#define REFUSES(name, value, message) {name, value, message, false},
#include "tests/unit/refbroker/meta/topic_configs_kafka.def"
#undef AGREES
#undef REFUSES
};

static struct topic_defaults kafkas;

static void
values_are_taken_and_refused_as_kafka_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct err e = {0};
        enum rc rc = topic_configs_check(answers[i].name, answers[i].value, &e);

        if ((rc == RC_OK) != answers[i].agrees)
            fail_msg("%s='%s': %s", answers[i].name, answers[i].value, e.text);
        if (answers[i].agrees)
            continue;
        assert_int_equal(rc, RC_CONFIG);
        assert_string_equal(e.text, answers[i].answer);
    }
}

static void
values_are_shown_as_kafka_shows_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct topic_configs configs;

        if (!answers[i].agrees)
            continue;
        topic_configs_init(&configs, &kafkas);
        topic_configs_set(&configs, answers[i].name, answers[i].value);
        if (strcmp(topic_configs_get(&configs, answers[i].name), answers[i].answer) != 0)
            fail_msg("%s='%s' is shown as '%s', not '%s'", answers[i].name, answers[i].value,
                topic_configs_get(&configs, answers[i].name), answers[i].answer);
        topic_configs_fini(&configs);
    }
}

static void
ratios_are_between_0_and_1(void **state)
{
    static const char *const good[] = {"0", "1", "0.5", " 0.5 ", "0.5f", ".5", "5e-1", "+0.25"};
    static const char *const bad[] = {"", "x", "1.1", "-0.1", "nan", "inf", "0x1", "1e", "0.5 5"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(topic_configs_check("min.cleanable.dirty.ratio", good[i], NULL), RC_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(topic_configs_check("min.cleanable.dirty.ratio", bad[i], NULL), RC_CONFIG);
}

static void
an_endless_value_is_refused(void **state)
{
    size_t size = (size_t)CONFIG_DEF_BYTES_MAX + 2;
    char *value = malloc(size);
    size_t count;
    const struct topic_config_row *rows = topic_configs_rows(&count);

    (void)state;
    memset(value, ',', size);
    value[size - 1] = '\0';
    for (size_t i = 0; i < count; i++)
        assert_int_equal(topic_configs_check(rows[i].def.name, value, NULL), RC_CONFIG);
    value[size - 2] = '\0';
    assert_int_equal(
        topic_configs_check("leader.replication.throttled.replicas", value, NULL), RC_OK);
    memset(value, '1', size - 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(topic_configs_check(rows[i].def.name, value, NULL), RC_CONFIG);
    free(value);
}

static void
the_table_stands_in_order_of_names_and_its_defaults_are_valid(void **state)
{
    size_t count;
    const struct topic_config_row *rows = topic_configs_rows(&count);

    (void)state;
    assert_in_range(count, 34, 60);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(topic_configs_find(rows[i].def.name), &rows[i]);
        assert_true(strlen(rows[i].def.help) > 10);
        if (strcmp(rows[i].def.name, "internal.segment.bytes") != 0)
            assert_int_equal(
                topic_configs_check(rows[i].def.name, rows[i].def.default_text, NULL), RC_OK);
        /* Our own stand behind Kafka's. */
        if (i > 0 && strncmp(rows[i].def.name, "diskless.", 9) != 0)
            assert_true(strcmp(rows[i - 1].def.name, rows[i].def.name) < 0);
    }
    assert_null(topic_configs_find("no.such.config"));
    assert_null(topic_configs_find(""));
}

static void
what_nobody_set_is_the_default(void **state)
{
    struct topic_configs configs;

    (void)state;
    topic_configs_init(&configs, &kafkas);
    assert_string_equal(topic_configs_get(&configs, "retention.ms"), "604800000");
    assert_false(topic_configs_is_set(&configs, "retention.ms"));
    assert_int_equal(configs.values.retention_ms, 604800000);
    assert_int_equal(configs.values.retention_bytes, -1);
    assert_int_equal(configs.values.max_message_bytes, 1048588);
    assert_int_equal(configs.values.timestamp_after_max_ms, 3600000);
    assert_true(configs.values.timestamp_before_max_ms == INT64_MAX);
    assert_int_equal(configs.values.compression_codec, -1);
    assert_false(configs.values.log_append_time);
    assert_false(configs.values.compacts);
    assert_true(configs.values.deletes);
    assert_false(configs.values.coordinated);
    topic_configs_set(&configs, "retention.ms", " 77 ");
    assert_true(topic_configs_is_set(&configs, "retention.ms"));
    assert_int_equal(configs.values.retention_ms, 77);
    topic_configs_set(&configs, "retention.ms", NULL);
    assert_false(topic_configs_is_set(&configs, "retention.ms"));
    assert_int_equal(configs.values.retention_ms, 604800000);
    topic_configs_set(&configs, "retention.ms", NULL);
    topic_configs_fini(&configs);
}

static void
what_the_broker_acts_on_follows_the_texts(void **state)
{
    static const struct {
        const char *type;
        int codec, level;
    } codecs[] = {{"uncompressed", 0, 0}, {"gzip", 1, -1}, {"snappy", 2, 0}, {"lz4", 3, 9},
        {"zstd", 4, 3}, {"producer", -1, 0}};
    struct topic_configs configs;

    (void)state;
    topic_configs_init(&configs, &kafkas);
    topic_configs_set(&configs, "cleanup.policy", "compact");
    assert_true(configs.values.compacts);
    assert_false(configs.values.deletes);
    topic_configs_set(&configs, "cleanup.policy", " delete , compact");
    assert_true(configs.values.compacts && configs.values.deletes);
    topic_configs_set(&configs, "cleanup.policy", "");
    assert_false(configs.values.compacts || configs.values.deletes);
    topic_configs_set(&configs, "message.timestamp.type", " LogAppendTime");
    assert_true(configs.values.log_append_time);
    topic_configs_set(&configs, "diskless.enable", "TRUE ");
    assert_true(configs.values.coordinated);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        topic_configs_set(&configs, "compression.type", codecs[i].type);
        assert_int_equal(configs.values.compression_codec, codecs[i].codec);
        if (codecs[i].level != 0)
            assert_int_equal(configs.values.compression_level, codecs[i].level);
    }
    topic_configs_set(&configs, "compression.type", "zstd");
    topic_configs_set(&configs, "compression.zstd.level", "-5");
    assert_int_equal(configs.values.compression_level, -5);
    topic_configs_fini(&configs);
}

/* A metadata file of another version may hold names and values that this one does not know. */
static void
unknown_names_and_values_are_kept_and_do_no_harm(void **state)
{
    struct topic_configs configs;

    (void)state;
    topic_configs_init(&configs, &kafkas);
    topic_configs_set(&configs, "from.the.future", "x");
    assert_true(topic_configs_is_set(&configs, "from.the.future"));
    topic_configs_set(&configs, "retention.ms", "soon");
    assert_string_equal(topic_configs_get(&configs, "retention.ms"), "soon");
    assert_int_equal(configs.values.retention_ms, 604800000);
    topic_configs_fini(&configs);
}

static void
defaults_that_change_reach_what_nobody_set(void **state)
{
    struct topic_defaults defaults;
    struct topic_configs plain, own;

    (void)state;
    topic_configs_defaults_init(&defaults);
    topic_configs_init(&plain, &defaults);
    topic_configs_init(&own, &defaults);
    topic_configs_set(&own, "retention.ms", "5");
    topic_configs_defaults_set(&defaults, topic_configs_find("retention.ms"), "9");
    topic_configs_defaults_set(&defaults, topic_configs_find("segment.bytes"), "2000000");
    topic_configs_refresh(&plain);
    topic_configs_refresh(&own);
    assert_int_equal(plain.values.retention_ms, 9);
    assert_int_equal(own.values.retention_ms, 5);
    assert_int_equal(own.values.segment_bytes, 2000000);
    assert_string_equal(topic_configs_get(&plain, "retention.ms"), "9");
    topic_configs_defaults_set(&defaults, topic_configs_find("retention.ms"), NULL);
    topic_configs_refresh(&plain);
    assert_int_equal(plain.values.retention_ms, 604800000);
    topic_configs_fini(&plain);
    topic_configs_fini(&own);
    topic_configs_defaults_fini(&defaults);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_taken_and_refused_as_kafka_does),
        cmocka_unit_test(values_are_shown_as_kafka_shows_them),
        cmocka_unit_test(ratios_are_between_0_and_1),
        cmocka_unit_test(an_endless_value_is_refused),
        cmocka_unit_test(the_table_stands_in_order_of_names_and_its_defaults_are_valid),
        cmocka_unit_test(what_nobody_set_is_the_default),
        cmocka_unit_test(what_the_broker_acts_on_follows_the_texts),
        cmocka_unit_test(unknown_names_and_values_are_kept_and_do_no_harm),
        cmocka_unit_test(defaults_that_change_reach_what_nobody_set),
    };

    int failed;

    topic_configs_defaults_init(&kafkas);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    topic_configs_defaults_fini(&kafkas);
    return failed;
}
