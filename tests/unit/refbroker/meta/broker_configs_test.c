/* The table of the broker's configs, and what of it is in force. Answers are those of Kafka 4.3.1
 * (tests/kafka/admin.t asks both). */
#include "refbroker/meta/broker_configs.h"

#include "refbroker/broker.h"
#include "tests/unit/unit.h"

/* As much of a broker as configs need. */
struct rig {
    struct broker broker;
    struct cache cache;
};

static struct rig *
rig_new(void)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    broker_configs_default(&rig->broker.options);
    rig->broker.options.node_id = 3;
    cache_init(&rig->cache, 1000);
    topics_init(&rig->broker.topics, &rig->cache);
    resource_configs_init(&rig->broker.resource_configs);
    return rig;
}

static void
rig_free(struct rig *rig)
{
    topics_fini(&rig->broker.topics);
    resource_configs_fini(&rig->broker.resource_configs);
    map_fini(&rig->broker.options.given, free);
    free(rig);
}

static enum rc
check(struct rig *rig, const char *resource, const char *name, const char *value, struct err *e)
{
    struct broker_config_change change = {name, value};

    return broker_configs_check(&rig->broker, resource, &change, 1, e);
}

/* Sets a config as a request would; NULL takes it back. */
static void
set(struct rig *rig, const char *resource, const char *name, const char *value)
{
    struct err e = {0};

    if (check(rig, resource, name, value, &e) != RC_OK)
        fail_msg("%s=%s: %s", name, value, e.text);
    resource_configs_set(&rig->broker.resource_configs, RESOURCE_BROKER, resource, name, value);
    broker_configs_take_effect(&rig->broker, name);
}

static void
give(struct rig *rig, const char *name, const char *value)
{
    assert_int_equal(broker_configs_give(&rig->broker.options, name, value, NULL), RC_OK);
}

static void
refuses(struct rig *rig, const char *resource, const char *name, const char *value, const char *why)
{
    struct err e = {0};

    assert_int_equal(check(rig, resource, name, value, &e), RC_CONFIG);
    assert_string_equal(e.text, why);
}

static void
the_table_stands_in_order_of_names_and_its_defaults_are_valid(void **state)
{
    size_t count;
    const struct broker_config_row *rows = broker_configs_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct err e = {0};

        if (i > 0 && strcmp(rows[i - 1].def.name, rows[i].def.name) >= 0)
            fail_msg("%s stands behind %s", rows[i].def.name, rows[i - 1].def.name);
        assert_ptr_equal(broker_configs_find(rows[i].def.name), &rows[i]);
        if (rows[i].def.default_text != NULL &&
            config_def_check(&rows[i].def, rows[i].def.default_text, &e) != RC_OK)
            fail_msg("%s", e.text);
    }
    assert_null(broker_configs_find("no.such.config"));
    assert_null(broker_configs_find(""));
}

static void
what_topics_inherit_takes_the_same_values(void **state)
{
    struct rig *rig = rig_new();
    size_t count;
    const struct topic_config_row *rows = topic_configs_rows(&count);

    (void)state;
    broker_configs_load(&rig->broker);
    for (size_t i = 0; i < count; i++) {
        const struct broker_config_row *row;

        if (rows[i].broker_name == NULL)
            continue;
        row = broker_configs_find(rows[i].broker_name);
        assert_non_null(row);
        assert_int_equal(row->effect, BROKER_CONFIG_ACTS);
        assert_int_equal(row->def.type, rows[i].def.type);
        if (row->def.default_text != NULL)
            assert_string_equal(row->def.default_text, rows[i].def.default_text);
        /* Without a value of the broker's, topics have Kafka's defaults. */
        assert_string_equal(topic_configs_defaults_get(&rig->broker.topics.defaults, &rows[i]),
            rows[i].def.default_text);
    }
    rig_free(rig);
}

static void
the_nearest_value_is_in_force_and_the_others_are_told_behind_it(void **state)
{
    struct rig *rig = rig_new();
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX];

    (void)state;
    give(rig, "log.cleaner.backoff.ms", "10");
    set(rig, "", "log.cleaner.backoff.ms", "20");
    assert_int_equal(rig->broker.options.cleaner_backoff_ms, 20);
    set(rig, "3", "log.cleaner.backoff.ms", " 30 ");
    assert_int_equal(rig->broker.options.cleaner_backoff_ms, 30);
    assert_int_equal(broker_configs_values(&rig->broker, "log.cleaner.backoff.ms", values), 4);
    assert_string_equal(values[0].text, " 30 ");
    assert_int_equal(values[0].source, CONFIG_SOURCE_BROKER);
    assert_string_equal(values[1].text, "20");
    assert_int_equal(values[1].source, CONFIG_SOURCE_ALL_BROKERS);
    assert_string_equal(values[2].text, "10");
    assert_int_equal(values[2].source, CONFIG_SOURCE_STATIC_BROKER);
    assert_string_equal(values[3].text, "15000");
    assert_int_equal(values[3].source, CONFIG_SOURCE_DEFAULT);
    set(rig, "3", "log.cleaner.backoff.ms", NULL);
    assert_int_equal(rig->broker.options.cleaner_backoff_ms, 20);
    set(rig, "", "log.cleaner.backoff.ms", NULL);
    assert_int_equal(rig->broker.options.cleaner_backoff_ms, 10);
    rig_free(rig);
}

static void
topics_follow_the_broker_unless_they_have_a_value_of_their_own(void **state)
{
    static const struct wire_uuid ids[2] = {{{1}}, {{2}}};
    struct rig *rig = rig_new();
    struct topic *plain = topics_add(&rig->broker.topics, &ids[0], "plain", 1);
    struct topic *own = topics_add(&rig->broker.topics, &ids[1], "own", 1);

    (void)state;
    topic_configs_set(&own->configs, "max.message.bytes", "7");
    set(rig, "", "message.max.bytes", "5000");
    set(rig, "3", "compression.type", "gzip");
    set(rig, "3", "log.cleanup.policy", "");
    assert_int_equal(plain->configs.values.max_message_bytes, 5000);
    assert_int_equal(own->configs.values.max_message_bytes, 7);
    assert_int_equal(own->configs.values.compression_codec, 1);
    assert_false(own->configs.values.deletes || own->configs.values.compacts);
    set(rig, "", "message.max.bytes", NULL);
    set(rig, "3", "log.cleanup.policy", NULL);
    assert_int_equal(plain->configs.values.max_message_bytes, 1048588);
    assert_true(plain->configs.values.deletes);
    rig_free(rig);
}

static void
times_in_hours_count_where_there_are_none_in_ms(void **state)
{
    struct rig *rig = rig_new();
    const struct topic_values *values = &rig->broker.topics.defaults.values;
    struct broker_config_value told[BROKER_CONFIG_VALUES_MAX];

    (void)state;
    give(rig, "log.retention.hours", "2");
    give(rig, "log.roll.hours", "3");
    broker_configs_load(&rig->broker);
    assert_int_equal(values->retention_ms, 7200000);
    assert_int_equal(values->segment_ms, 10800000);
    assert_int_equal(broker_configs_values(&rig->broker, "log.retention.ms", told), 0);
    give(rig, "log.retention.minutes", "5");
    broker_configs_load(&rig->broker);
    assert_int_equal(values->retention_ms, 300000);
    set(rig, "", "log.retention.ms", "77");
    assert_int_equal(values->retention_ms, 77);
    assert_int_equal(broker_configs_values(&rig->broker, "log.retention.ms", told), 4);
    assert_string_equal(told[1].name, "log.retention.minutes");
    assert_string_equal(told[2].name, "log.retention.hours");
    set(rig, "", "log.retention.ms", "-5");
    assert_int_equal(values->retention_ms, -1);
    set(rig, "", "log.retention.ms", NULL);
    assert_int_equal(values->retention_ms, 300000);
    rig_free(rig);
}

static void
what_kafka_refuses_is_refused_in_its_words(void **state)
{
    struct rig *rig = rig_new();
    static const struct broker_config_change two[] = {
        {"node.id", "7"}, {"message.max.bytes", "1"}, {"log.dirs", "x"}};
    struct err e = {0};

    (void)state;
    refuses(rig, "3", "broker.id", "7", "Cannot update these configs dynamically: [broker.id]");
    assert_int_equal(broker_configs_check(&rig->broker, "3", two, 3, &e), RC_CONFIG);
    assert_string_equal(e.text, "Cannot update these configs dynamically: [node.id, log.dirs]");
    refuses(rig, "3", "message.max.bytes", "x",
        "Invalid value x for configuration message.max.bytes: Not a number of type INT");
    refuses(rig, "", "log.cleaner.min.cleanable.ratio", "2",
        "Invalid value 2.0 for configuration log.cleaner.min.cleanable.ratio: Value must be no "
        "more than 1");
    refuses(rig, "3", "ssl.keystore.location", "/x",
        "These security configs can be dynamically updated only per-listener using the listener "
        "prefix: [ssl.keystore.location]");
    refuses(rig, "", "listener.name.a.ssl.keystore.location", "/x",
        "Cannot update these configs at default cluster level, broker id must be specified: "
        "[listener.name.a.ssl.keystore.location]");
    refuses(rig, "3", "listener.name.a.max.connections", "x",
        "Invalid value x for configuration max.connections: Not a number of type INT");
    refuses(rig, "3", "log.retention.ms", "0",
        "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to "
        "1");
    refuses(rig, "", "num.io.threads", "17",
        "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count "
        "update validation failed for num.io.threads=17, value should not be greater than double "
        "the current value 8 for configuration Invalid dynamic configuration");
    refuses(rig, "", "group.consumer.assignment.interval.ms", "99999",
        "group.consumer.assignment.interval.ms must be less than or equal to "
        "group.consumer.max.assignment.interval.ms");
    refuses(rig, "3", "principal.builder.class", "x.y",
        "Invalid value x.y for configuration principal.builder.class: Class x.y could not be "
        "found.");
    rig_free(rig);
}

static void
only_what_would_be_in_force_is_judged_beside_other_configs(void **state)
{
    struct rig *rig = rig_new();
    struct err e;

    (void)state;
    set(rig, "3", "group.consumer.assignment.interval.ms", "2000");
    set(rig, "", "group.consumer.assignment.interval.ms", "99999");
    assert_int_equal(rig->broker.options.groups.consumer_assignment_interval_ms, 2000);
    assert_int_equal(check(rig, "3", "group.consumer.assignment.interval.ms", NULL, &e), RC_CONFIG);
    give(rig, "log.cleaner.dedupe.buffer.size", "2097152");
    refuses(rig, "", "log.cleaner.threads", "2",
        "requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner "
        "thread.");
    rig_free(rig);
}

static void
unknown_names_are_kept_up_to_a_limit(void **state)
{
    struct rig *rig = rig_new();
    char name[32], *endless = malloc((size_t)CONFIG_DEF_BYTES_MAX + 2);
    struct err e;

    (void)state;
    assert_int_equal(broker_configs_type("what.is.this"), CONFIG_UNKNOWN);
    assert_int_equal(broker_configs_type("listener.name.a.ssl.key.password"), CONFIG_PASSWORD);
    assert_int_equal(
        broker_configs_type("listener.name.a.plain.sasl.jaas.config"), CONFIG_PASSWORD);
    for (int i = 0; i < BROKER_CONFIGS_MAX; i++) {
        snprintf(name, sizeof name, "what.%d", i);
        set(rig, "3", name, "x");
    }
    set(rig, "3", name, "y");
    assert_int_equal(check(rig, "3", "what.else", "x", &e), RC_CONFIG);
    assert_int_equal(check(rig, "", "what.else", "x", &e), RC_OK);
    memset(endless, 'x', (size_t)CONFIG_DEF_BYTES_MAX + 1);
    endless[CONFIG_DEF_BYTES_MAX + 1] = '\0';
    assert_int_equal(check(rig, "", "what.else", endless, &e), RC_CONFIG);
    assert_int_equal(check(rig, "", endless, "x", &e), RC_CONFIG);
    free(endless);
    rig_free(rig);
}

static void
what_is_given_at_the_start_is_held_or_refused(void **state)
{
    struct rig *rig = rig_new();
    struct broker_options *options = &rig->broker.options;
    struct err e = {0};

    (void)state;
    assert_int_equal(options->idle_ms, 600000);
    assert_true(options->cleaner_io_bytes_per_s == INT64_MAX);
    assert_int_equal(options->groups.protocols,
        GROUP_PROTOCOL_CLASSIC | GROUP_PROTOCOL_CONSUMER | GROUP_PROTOCOL_STREAMS);
    give(rig, "group.coordinator.rebalance.protocols", "classic");
    assert_int_equal(options->groups.protocols, GROUP_PROTOCOL_CLASSIC);
    give(rig, "group.consumer.migration.policy", "DOWNGRADE");
    assert_int_equal(options->groups.consumer_migration, GROUP_MIGRATION_DOWNGRADE);
    give(rig, "auto.create.topics.enable", "FALSE");
    assert_false(options->auto_create_topics);
    give(rig, "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    assert_int_equal(options->authorizer, 1);
    assert_int_equal(broker_configs_give(options, "authorizer.class.name", "x", &e), RC_CONFIG);
    assert_string_equal(e.text,
        "Invalid value x for configuration authorizer.class.name: String must be one of: nothing, "
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    assert_int_equal(broker_configs_give(options, "kdl.commit.bytes", "1", &e), RC_CONFIG);
    assert_int_equal(options->commit_bytes, 8388608);
    assert_int_equal(broker_configs_give(options, "log.dirs", "/x", &e), RC_CONFIG);
    assert_string_equal(e.text, "unknown setting log.dirs; --set help lists them");
    assert_int_equal(broker_configs_give(options, "num.io.threads", "9", &e), RC_CONFIG);
    rig_free(rig);
}

static void
what_an_authorizer_reads_is_taken_and_told_by_name_alone(void **state)
{
    struct rig *rig = rig_new();
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX];

    (void)state;
    assert_int_equal(broker_configs_values(&rig->broker, "super.users", values), 0);
    give(rig, "super.users", "User:anna;User:bert");
    give(rig, "allow.everyone.if.no.acl.found", "true");
    assert_int_equal(broker_configs_values(&rig->broker, "super.users", values), 1);
    assert_int_equal(values[0].source, CONFIG_SOURCE_STATIC_BROKER);
    /* Of a type that nobody knows no value is told. */
    assert_int_equal(broker_configs_type("super.users"), CONFIG_UNKNOWN);
    set(rig, "3", "super.users", "User:carl");
    assert_int_equal(broker_configs_values(&rig->broker, "super.users", values), 2);
    rig_free(rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_stands_in_order_of_names_and_its_defaults_are_valid),
        cmocka_unit_test(what_topics_inherit_takes_the_same_values),
        cmocka_unit_test(the_nearest_value_is_in_force_and_the_others_are_told_behind_it),
        cmocka_unit_test(topics_follow_the_broker_unless_they_have_a_value_of_their_own),
        cmocka_unit_test(times_in_hours_count_where_there_are_none_in_ms),
        cmocka_unit_test(what_kafka_refuses_is_refused_in_its_words),
        cmocka_unit_test(only_what_would_be_in_force_is_judged_beside_other_configs),
        cmocka_unit_test(unknown_names_are_kept_up_to_a_limit),
        cmocka_unit_test(what_is_given_at_the_start_is_held_or_refused),
        cmocka_unit_test(what_an_authorizer_reads_is_taken_and_told_by_name_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
