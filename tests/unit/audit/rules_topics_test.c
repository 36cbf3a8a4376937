/* Each rule about topics: it holds where it should, and not of a plain topic. */
#include "lib/wire/codec.h"
#include "tests/unit/audit/rules_rig.h"

#define DAY_MS INT64_C(86400000)

/* --- how a topic comes to fit a rule -----------------------------------------------------------
 */

typedef void make_fn(struct audit_topic *topic);

static struct audit_group *
the_group(void)
{
    return &inventory.groups[0];
}

static void
no_group(struct audit_topic *topic)
{
    topic->uses = NULL;
    topic->use_count = 0;
}

static void
transactional(struct audit_topic *topic)
{
    topic->sample.transactional = 3;
}

static void
unseen(struct audit_topic *topic)
{
    uint32_t place = (uint32_t)(topic - inventory.topics);

    inventory_gap(&inventory, place, AUDIT_SAMPLES, NULL, RC_REMOTE, 29, NULL);
    inventory_gap(&inventory, place, AUDIT_PRODUCERS, NULL, RC_REMOTE, 29, NULL);
}

static void
open_transaction(struct audit_topic *topic)
{
    topic->unstable = 1;
}

static void
without_id(struct audit_topic *topic)
{
    topic->sample.with_producer = 10;
}

static void
large_sequence(struct audit_topic *topic)
{
    topic->last_sequence = INT32_MAX - 5;
}

static void
role(struct audit_topic *topic, enum audit_role what)
{
    topic->role = what;
    topic->role_group = 0;
}

static void
changelog(struct audit_topic *topic)
{
    role(topic, AUDIT_ROLE_CHANGELOG);
}

static void
repartition(struct audit_topic *topic)
{
    role(topic, AUDIT_ROLE_REPARTITION);
}

static void
compacted(struct audit_topic *topic)
{
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY] = (struct audit_config){"compact", true};
}

static void
repeating(struct audit_topic *topic)
{
    compacted(topic);
    topic->sample.repeated = 40000;
}

static void
program(struct audit_topic *topic)
{
    compacted(topic);
    topic->sample.program = 50000;
    topic->sample.programs = "Kafka Connect";
}

static void
unproven(struct audit_topic *topic)
{
    compacted(topic);
    topic->sample.keyed = 10;
}

static void
inherited(struct audit_topic *topic)
{
    compacted(topic);
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].is_own = false;
}

static void
no_policy(struct audit_topic *topic)
{
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = NULL;
}

static void
horizon(struct audit_topic *topic)
{
    topic->sample.horizons = 1;
}

static void
keyless(struct audit_topic *topic)
{
    compacted(topic);
    topic->sample.unkeyed = 1;
}

static void
compaction_lag(struct audit_topic *topic)
{
    compacted(topic);
    topic->configs[AUDIT_CONFIG_MAX_COMPACTION_LAG_MS] = (struct audit_config){"60000", true};
}

static void
tombstones(struct audit_topic *topic)
{
    compacted(topic);
    topic->sample.tombstones = 40000;
}

static void
share_group(struct audit_topic *topic)
{
    (void)topic;
    the_group()->type = AUDIT_GROUP_SHARE;
}

static void
consumer_group(struct audit_topic *topic)
{
    (void)topic;
    the_group()->type = AUDIT_GROUP_CONSUMER;
}

static void
streams_group(struct audit_topic *topic)
{
    (void)topic;
    the_group()->type = AUDIT_GROUP_STREAMS;
}

static void
application(struct audit_topic *topic)
{
    (void)topic;
    the_group()->app = AUDIT_APP_YES;
}

static void
stopped(struct audit_topic *topic)
{
    (void)topic;
    the_group()->members = 0;
    the_group()->state = "Empty";
}

static void
behind(struct audit_topic *topic)
{
    topic->uses->lag = topic->offsets;
}

static void
lost(struct audit_topic *topic)
{
    topic->uses->lost = 1;
}

static void
sink(struct audit_topic *topic)
{
    (void)topic;
    the_group()->id = "connect-s3-sink";
}

static void
flink_sink(struct audit_topic *topic)
{
    inventory_add_transactional_id(&inventory, codec_string("sink-0-41"));
    inventory_add_transactional_id(&inventory, codec_string("sink-0-42"));
    inventory_add_footprint(
        &inventory, 0, (uint32_t)(topic - inventory.topics), AUDIT_TRACE_REQUESTED);
}

static void
flink_source(struct audit_topic *topic)
{
    static const struct audit_client reader = {"etl-0", "", "", ""},
                                     admin = {"etl-enumerator-admin-client", "", "", ""};

    inventory_add_client(&inventory, &admin);
    inventory_contact(
        &inventory, (uint32_t)(topic - inventory.topics), inventory_add_client(&inventory, &reader))
        ->fetches = 1;
}

static void
for_ever(struct audit_topic *topic)
{
    topic->configs[AUDIT_CONFIG_RETENTION_MS] = (struct audit_config){"-1", true};
}

static void
cut(struct audit_topic *topic)
{
    for_ever(topic);
    topic->began_later = true;
}

static void
shortly(struct audit_topic *topic)
{
    topic->configs[AUDIT_CONFIG_RETENTION_MS] = (struct audit_config){"60000", true};
}

static void
copies(struct audit_topic *topic)
{
    topic->replication = 3;
}

static void
leaderless(struct audit_topic *topic)
{
    topic->leaderless = 1;
}

static void
out_of_sync(struct audit_topic *topic)
{
    topic->lagging = 1;
}

static void
later_epoch(struct audit_topic *topic)
{
    inventory.partitions[topic->first + 1].leader_epoch = 3;
    inventory.partitions[topic->first + 1].epoch_offset = 100;
}

static void
read_in_transactions(struct audit_topic *topic)
{
    topic->uses->pending = 2;
}

static void
overwritten(struct audit_topic *topic)
{
    topic->uses->overwritten = 1;
}

static void
moving(struct audit_topic *topic)
{
    topic->moving = 1;
}

/* The last topic of the inventory gets as many; the topic may lie elsewhere afterwards. */
static void
more_partitions(struct audit_topic *topic, int32_t count)
{
    topic->partition_count = count;
    inventory_add_topic(&inventory, "whose partitions they are", count);
}

static void
little(struct audit_topic *topic)
{
    topic->bytes = 1000;
    more_partitions(topic, 24);
}

static void
very_many(struct audit_topic *topic)
{
    more_partitions(topic, 1001);
}

static void
empty(struct audit_topic *topic)
{
    no_group(topic);
    topic->offsets = 0;
}

static void
idle(struct audit_topic *topic)
{
    no_group(topic);
    topic->last_ms = topic->sample.newest_ms = NOW_MS - 31 * DAY_MS;
}

static void
future(struct audit_topic *topic)
{
    topic->sample.newest_ms = NOW_MS + DAY_MS;
}

static void
backwards(struct audit_topic *topic)
{
    topic->sample.backwards = 1;
}

static void
old_format(struct audit_topic *topic)
{
    topic->sample.old_format = 1;
}

static void
small_batches(struct audit_topic *topic)
{
    topic->sample.bytes = 200000;
}

static void
lonely(struct audit_topic *topic)
{
    topic->sample.records = 1100;
}

static void
uncompressed(struct audit_topic *topic)
{
    topic->sample.uncompressed_bytes = topic->sample.bytes;
}

/* Ten megabytes in the week that it is kept. */
static void
seldom_written(struct audit_topic *topic)
{
    topic->began_later = true;
    topic->bytes = 10000000;
}

static void
mirrored(struct audit_topic *topic)
{
    (void)topic;
    inventory_add_topic(&inventory, "eu.heartbeats", 1);
}

/* What makes a topic fit: a name of its own, a config that is set on it, or more. */
struct topic_case {
    const char *id;
    const char *name;
    enum audit_topic_config config;
    const char *value;
    make_fn *make;
};

#define NAMED(id, name)                                                                            \
    {                                                                                              \
        id, name, 0, NULL, NULL                                                                    \
    }
#define MADE(id, make)                                                                             \
    {                                                                                              \
        id, "topic", 0, NULL, make                                                                 \
    }
#define WITH(id, config, value)                                                                    \
    {                                                                                              \
        id, "topic", AUDIT_CONFIG_##config, value, NULL                                            \
    }

static const struct topic_case topic_cases[] = {
    MADE("TXN-001", transactional),
    MADE("TXN-002", unseen),
    MADE("TXN-003", open_transaction),
    MADE("TXN-004", read_in_transactions),
    {"IDM-001", "idempotent", 0, NULL, NULL}, /* any topic with producer ids */
    MADE("IDM-002", without_id),
    MADE("IDM-003", large_sequence),
    MADE("STR-001", changelog),
    MADE("CMP-001", repeating),
    MADE("CMP-002", program),
    MADE("CMP-003", unproven),
    MADE("CMP-004", compacted),
    MADE("STR-002", repartition),
    MADE("CMP-005", no_policy),
    {"STR-003", "nobody-x-changelog", AUDIT_CONFIG_CLEANUP_POLICY, "compact", NULL},
    MADE("CMP-006", inherited),
    MADE("CMP-007", horizon),
    MADE("CMP-008", keyless),
    MADE("CMP-009", compaction_lag),
    MADE("CMP-010", tombstones),
    MADE("SHR-001", share_group),
    MADE("GRP-001", consumer_group),
    MADE("GRP-002", streams_group),
    MADE("GRP-003", application),
    MADE("GRP-004", stopped),
    MADE("GRP-005", behind),
    MADE("GRP-006", lost),
    MADE("GRP-007", no_group),
    MADE("GRP-008", overwritten),
    NAMED("PRG-001", "mm2-offset-syncs.eu.internal"),
    {"PRG-002", "eu.orders", 0, NULL, mirrored},
    NAMED("PRG-003", "_confluent-ksql-default__command_topic"),
    NAMED("PRG-004", "shop.schema-changes.inventory"),
    NAMED("PRG-005", "__amazon_msk_canary"),
    NAMED("PRG-006", "_schemas"),
    NAMED("PRG-007", "connect-offsets"),
    NAMED("PRG-008", "control-iceberg"),
    NAMED("PRG-009", "orders-dlq"),
    NAMED("PRG-010", "__something"),
    NAMED("PRG-011", "billing.requests"),
    MADE("PRG-012", sink),
    MADE("PRG-013", flink_sink),
    MADE("PRG-014", flink_source),
    MADE("RET-001", for_ever),
    WITH("RET-002", RETENTION_BYTES, "1000000"),
    MADE("RET-003", shortly),
    MADE("RET-004", shortly),
    MADE("RET-005", cut),
    WITH("CFG-001", REMOTE_STORAGE_ENABLE, "true"),
    WITH("CFG-002", LOCAL_RETENTION_MS, "1000"),
    WITH("CFG-003", DISKLESS_ENABLE, "true"),
    WITH("CFG-004", MIN_INSYNC_REPLICAS, "2"),
    MADE("CFG-005", copies),
    WITH("CFG-006", UNCLEAN_LEADER_ELECTION, "true"),
    WITH("CFG-007", TIMESTAMP_TYPE, "LogAppendTime"),
    WITH("CFG-008", TIMESTAMP_AFTER_MAX_MS, "3600000"),
    WITH("CFG-009", MAX_MESSAGE_BYTES, "30000000"),
    WITH("CFG-010", MAX_MESSAGE_BYTES, "2000000"),
    WITH("CFG-011", COMPRESSION_TYPE, "zstd"),
    WITH("CFG-012", FLUSH_MESSAGES, "1"),
    WITH("CFG-013", SEGMENT_BYTES, "104857600"),
    MADE("HLT-001", leaderless),
    MADE("HLT-002", out_of_sync),
    MADE("HLT-003", moving),
    MADE("HLT-004", later_epoch),
    MADE("SHP-001", little),
    MADE("SHP-002", very_many),
    MADE("SHP-003", empty),
    MADE("SHP-004", idle),
    MADE("SHP-005", future),
    MADE("SHP-006", backwards),
    MADE("SHP-007", old_format),
    MADE("SHP-008", small_batches),
    MADE("SHP-009", lonely),
    MADE("SHP-010", uncompressed),
    MADE("SHP-011", seldom_written),
};

/* What is true of the plain topic already. */
static const char *const plain_ids[] = {"IDM-001"};

static bool
is_plain(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(plain_ids); i++)
        if (strcmp(plain_ids[i], id) == 0)
            return true;
    return false;
}

static void
of_a_plain_topic_hardly_a_rule_holds(void **state)
{
    (void)state;
    begin_inventory();
    plain_topic("topic", 4);
    derive();
    for (const struct audit_hit *hit = inventory.topics[0].hits; hit != NULL; hit = hit->next) {
        if (!is_plain(hit->rule->id))
            fail_msg("%s holds: %s", hit->rule->id, hit->text);
        assert_int_equal(hit->value, AUDIT_YES);
    }
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        assert_int_equal(rules_judge(&inventory.topics[0], (enum rules_design)d), RULES_READY);
    inventory_fini(&inventory);
}

static void
each_rule_about_topics_holds_where_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(topic_cases); i++) {
        const struct topic_case *c = &topic_cases[i];
        struct audit_topic *topic;

        begin_inventory();
        topic = plain_topic(c->name, 4);
        if (c->value != NULL)
            topic->configs[c->config] = (struct audit_config){c->value, true};
        if (c->make != NULL)
            c->make(topic);
        derive();
        if (!holds(inventory.topics[0].hits, c->id))
            fail_msg("%s does not hold", c->id);
        inventory_fini(&inventory);
    }
}

static bool
has_case(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(topic_cases); i++)
        if (strcmp(topic_cases[i].id, id) == 0)
            return true;
    return false;
}

static void
each_rule_about_topics_has_a_case(void **state)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        if (rules[i].subject == RULES_OF_TOPIC && !has_case(rules[i].id))
            fail_msg("no test makes a topic for %s", rules[i].id);
}

/* Counters before looks, looks before what retention has left; and nothing where a log may be young,
 * or holds what compaction has left. */
static void
what_is_written_a_day_is_told_by_who_knows_best(void **state)
{
    static const struct {
        struct audit_traffic traffic;
        struct audit_rate rate;
        int64_t bytes;
        bool began_later, compacted, holds;
    } cases[] = {
        {{1000, 0, 0, 60000}, {5000000, 1000, 0, 0}, INT64_C(1) << 40, true, false, true},
        {{INT64_C(1) << 40, 0, 0, 60000}, {0, 1000, 0, 0}, 1000, true, false, false},
        {{-1, -1, -1, 0}, {0, 1000, 0, 0}, INT64_C(1) << 40, true, false, true},
        {{-1, -1, -1, 0}, {5000000, 1000, 0, 0}, INT64_C(1) << 40, true, false, false},
        {{-1, -1, -1, 0}, {0, 0, 0, 0}, 1000, true, false, true},
        {{-1, -1, -1, 0}, {0, 0, 0, 0}, 1000, false, false, false},
        {{-1, -1, -1, 0}, {0, 0, 0, 0}, 1000, true, true, false},
        {{-1, -1, -1, 0}, {0, 0, 0, 0}, -1, true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_topic *topic;

        begin_inventory();
        topic = plain_topic("topic", 4);
        topic->traffic = cases[i].traffic;
        topic->rate = cases[i].rate;
        topic->bytes = cases[i].bytes;
        topic->began_later = cases[i].began_later;
        if (cases[i].compacted)
            compacted(topic);
        derive();
        assert_int_equal(holds(inventory.topics[0].hits, "SHP-011"), cases[i].holds);
        inventory_fini(&inventory);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_about_topics_has_a_case),
        cmocka_unit_test(of_a_plain_topic_hardly_a_rule_holds),
        cmocka_unit_test(each_rule_about_topics_holds_where_it_should),
        cmocka_unit_test(what_is_written_a_day_is_told_by_who_knows_best),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
