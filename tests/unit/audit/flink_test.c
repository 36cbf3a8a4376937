/* Flink's names: what is taken for one and what is not, and the same in a redacted snapshot. */
#include "audit/flink.h"

#include <unistd.h>

#include "audit/redaction.h"
#include "lib/base/env.h"
#include "lib/wire/codec.h"
#include "tests/unit/audit/file_rig.h"

#define HASH "0a448493b4782967b150582570326227"
#define UUID "6f2c8a3e-91d4-4b7a-8c15-123456789012"
#define UUID_OF_DIGITS "63278123-9174-4171-8515-123456789012"
#define ID_BYTES 256
#define RANDOM_IDS 4000

static int
setup(void **state)
{
    (void)state;
    begin_file();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_file();
    return 0;
}

/* --- shapes ----------------------------------------------------------------------------------- */

static void
stems_are_what_siblings_begin_with(void **state)
{
    static const struct {
        const char *id, *stem; /* NULL: it does not look like Flink's */
    } cases[] = {
        {"orders-sink-0-1", "orders-sink-0"},
        {"orders-sink-127-40213", "orders-sink-127"},
        {"s-0-0", "s-0"},
        {"a b.c_d-3-9223372036854775807", "a b.c_d-3"},
        {"--0-1", "--0"}, /* the prefix is a dash */
        {"Source: a -> Sink: b-" HASH "-17", "Source: a -> Sink: b-" HASH},
        {"x-" UUID "-" HASH "-4", "x-" UUID "-" HASH},
        {"g-orders-2-0", "g-orders-2"}, /* alone it may as well be Connect's */
        {"", NULL},
        {"-", NULL},
        {"--", NULL},
        {"5", NULL},
        {"-5", NULL},
        {"0-1", NULL},
        {"-0-1", NULL},
        {"till-7", NULL},
        {"orders-sink-0-", NULL},
        {"orders-sink--1", NULL},
        {"orders-sink-0-1a", NULL},
        {"orders-sink-0x1-1", NULL},
        {"orders-sink-0-01", NULL},
        {"backup-2026-06-13", NULL},
        {"orders-sink-0_1", NULL}, /* Streams before its version 2 of exactly-once */
        {"orders-" UUID "-1", NULL},
        {UUID "-1", NULL},
        {UUID_OF_DIGITS, NULL},
        {"x-" UUID_OF_DIGITS, NULL},
        {UUID_OF_DIGITS "-1", NULL},
        {"x-" HASH, NULL},
        {"-" HASH "-1", NULL},
        {"x-0A448493B4782967B150582570326227-1", NULL},
        {"x-0a448493b4782967b15058257032622-1", NULL},
        {"x-" HASH "0-1", NULL},
        {"x-" HASH "-1-", NULL},
        {"connect-cluster-g", NULL},
        {"sink-\xc3\xa9"
         "5-1",
            NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t size = flink_stem(cases[i].id);

        if (size != (cases[i].stem == NULL ? 0 : strlen(cases[i].stem)) ||
            (size > 0 && strncmp(cases[i].id, cases[i].stem, size) != 0))
            fail_msg("%s: a stem of %zu", cases[i].id, size);
    }
}

/* A UUID is one only where its first group is a word of its own. */
static void
a_number_behind_half_a_uuid_is_a_subtask(void **state)
{
    (void)state;
    assert_int_equal(flink_stem("x" UUID "-1"), strlen("x" UUID));
    assert_int_equal(
        flink_stem("a-91d4-4b7a-8c15-123456789012-1"), strlen("a-91d4-4b7a-8c15-123456789012"));
}

static void
clients_of_a_source_have_a_prefix(void **state)
{
    static const char *const none[] = {"", "-", "-0", "etl", "etl-", "etl-x", "etl-01", "0", UUID};
    static const char admin[] = "etl-enumerator-admin-client", other[] = "enumerator-admin-client";

    (void)state;
    assert_int_equal(flink_reader("etl-0"), 3);
    assert_int_equal(flink_reader("KafkaSource--4711-12"), 17);
    assert_int_equal(flink_reader("etl-" UUID), 0);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_int_equal(flink_reader(none[i]), 0);
        assert_int_equal(flink_enumerator(none[i], strlen(none[i])), 0);
    }
    assert_int_equal(flink_enumerator(admin, strlen(admin)), 3);
    assert_int_equal(flink_enumerator(admin, strlen(admin) - 1), 0);
    assert_int_equal(flink_enumerator(admin + 3, strlen(admin + 3)), 0);
    assert_int_equal(flink_enumerator(other, strlen(other)), 0);
}

/* --- sinks ------------------------------------------------------------------------------------ */

static void
know(const char *id)
{
    inventory_add_transactional_id(&inventory, codec_string(id));
}

static void
write_in(const char *id, uint32_t topic, enum audit_trace trace)
{
    know(id);
    inventory_add_footprint(
        &inventory, inventory_transactional_id(&inventory, codec_string(id)), topic, trace);
}

static void
several_ids_of_one_stem_are_flinks(void **state)
{
    const struct audit_flink *flink = &plain_topic("orders", 1)->flink;

    (void)state;
    write_in("sink-0-8", 0, AUDIT_TRACE_PAST);
    write_in("sink-0-9", 0, AUDIT_TRACE_OPEN);
    know("sink-0-10");
    know("sink-1-8");
    derive();
    assert_string_equal(flink->transactional_id, "sink-0-8");
    assert_int_equal(flink->ids, 3);
    assert_int_equal(flink->probe, AUDIT_TRANSACTION_LOG);
    assert_true(holds(inventory.topics[0].hits, "PRG-013"));
    derive();
    assert_int_equal(flink->ids, 3);
    /* A later look that knows better. */
    inventory_add_group(&inventory, codec_string("sink"), AUDIT_GROUP_CLASSIC)->protocol_type =
        "connect";
    inventory.groups[inventory.group_count - 1].state = "Stable";
    derive();
    assert_null(flink->transactional_id);
}

static void
the_older_producer_is_known_by_its_operator(void **state)
{
    (void)state;
    plain_topic("orders", 1);
    write_in("Sink: a-" HASH "-0", 0, AUDIT_TRACE_REQUESTED);
    know("Sink: a-" HASH "-1");
    derive();
    assert_true(holds(inventory.topics[0].hits, "PRG-013"));
}

/* Each of these alone, and two topics of which only the second has to do with Flink. */
static void
others_are_not_taken_for_it(void **state)
{
    static const char *const pairs[][2] = {
        {"sink-0-1", "sink-1-1"},             /* other subtasks */
        {"sink-0-1", "sunk-0-2"},             /* other prefixes */
        {"app-" UUID "-1", "app-" UUID "-2"}, /* threads of Streams */
        {"app-0_1", "app-0_2"},
        {"till-7", "till-8"},
        {"backup-2026-06-13", "backup-2026-06-14"},
        {"orders-" HASH "-1", "orders-0a448493b4782967b150582570326228-1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        inventory_fini(&inventory);
        begin_inventory();
        plain_topic("orders", 1);
        write_in(pairs[i][0], 0, AUDIT_TRACE_OPEN);
        write_in(pairs[i][1], 0, AUDIT_TRACE_OPEN);
        derive();
        if (inventory.topics[0].flink.transactional_id != NULL)
            fail_msg("%s", pairs[i][0]);
        assert_false(holds(inventory.topics[0].hits, "PRG-013"));
    }
}

static void
topics_whose_offsets_are_committed_only_are_not_written(void **state)
{
    (void)state;
    plain_topic("read", 1);
    plain_topic("requested", 1);
    plain_topic("plain", 1);
    write_in("sink-0-1", 0, AUDIT_TRACE_READ);
    write_in("sink-0-2", 1, AUDIT_TRACE_REQUESTED_READ);
    derive();
    for (uint32_t t = 0; t < inventory.topic_count; t++)
        assert_null(inventory.topics[t].flink.transactional_id);
}

static void
tasks_of_connect_are_known_by_the_workers_group(void **state)
{
    static const struct {
        const char *group, *protocol_type;
        bool is_flink;
    } cases[] = {{"g", "connect", false}, {"g-orders", "connect", false}, {"g", "consumer", true},
        {"g", "", true}, {"g-orders-2", "connect", true}, {"g-o", "connect", true},
        {"h", "connect", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_group *group;

        inventory_fini(&inventory);
        begin_inventory();
        plain_topic("orders", 1);
        group = inventory_add_group(&inventory, codec_string(cases[i].group), AUDIT_GROUP_CLASSIC);
        group->protocol_type = cases[i].protocol_type;
        group->state = "Stable";
        write_in("g-orders-2-0", 0, AUDIT_TRACE_OPEN);
        write_in("g-orders-2-1", 0, AUDIT_TRACE_OPEN);
        derive();
        if (holds(inventory.topics[0].hits, "PRG-013") != cases[i].is_flink)
            fail_msg("group %s of %s", cases[i].group, cases[i].protocol_type);
    }
}

/* --- sources ---------------------------------------------------------------------------------- */

static void
meet(const char *id, uint32_t topic, uint64_t fetches, uint64_t commits)
{
    const struct audit_client client = {id, "User:flink", "apache-kafka-java", "4.0.0"};
    struct audit_contact *contact =
        inventory_contact(&inventory, topic, inventory_add_client(&inventory, &client));

    contact->fetches = fetches;
    contact->commits = commits;
}

static void
a_source_is_known_by_its_reader_and_its_admin_client(void **state)
{
    static const struct audit_client admin = {
        "etl-enumerator-admin-client", "User:flink", "apache-kafka-java", "4.0.0"};

    (void)state;
    for (uint32_t t = 0; t < 4; t++)
        plain_topic(t == 0 ? "orders" : t == 1 ? "carts" : t == 2 ? "tills" : "plain", 1);
    meet("etl-0", 0, 7, 0);
    meet("etl-1", 0, 7, 1);
    meet("etl-0", 1, 0, 5); /* it commits, and reads nothing */
    meet("etl-2-0", 2, 7, 5);
    derive();
    assert_null(inventory.topics[0].flink.reader);
    inventory_add_client(&inventory, &admin);
    derive();
    assert_string_equal(inventory.topics[0].flink.reader, "etl-0");
    assert_true(holds(inventory.topics[0].hits, "PRG-014"));
    for (uint32_t t = 1; t < 4; t++)
        assert_false(holds(inventory.topics[t].hits, "PRG-014"));
}

/* --- redaction -------------------------------------------------------------------------------- */

static void
id_make(struct env *env, char *id)
{
    static const char *const pieces[] = {"-", "-", "-", "0", "7", "12", "00", "123", "0123",
        "20413", "9223372036854775807", "sink", "orders", "v2", ".", "_", HASH, UUID,
        UUID_OF_DIGITS, "6f2c8a3e", "4b7a", "123456789012", "client", "\xc3\xa9", "A1B2C3D4"};
    size_t size = 0;

    for (uint64_t left = 1 + env_random_below(env, 9); left > 0; left--) {
        const char *piece = pieces[env_random_below(env, ARRAY_LEN(pieces))];

        if (size + strlen(piece) < ID_BYTES) {
            memcpy(id + size, piece, strlen(piece));
            size += strlen(piece);
        }
    }
    id[size] = '\0';
}

static bool
are_siblings(const char *a, const char *b)
{
    size_t size = flink_stem(a);

    return size > 0 && size == flink_stem(b) && memcmp(a, b, size) == 0;
}

/* What looks like Flink's does so afterwards, siblings are siblings, and nothing else is either. */
static void
redaction_changes_no_shape(void **state)
{
    char id[ID_BYTES], before[ID_BYTES] = "sink-0-101";
    unsigned looks = 0, siblings = 0;
    struct redaction redaction;
    struct env env;
    struct err e;

    (void)state;
    env_init_seeded(&env, 7, 0);
    assert_int_equal(redaction_init(&redaction, path, &e), RC_OK);
    for (unsigned i = 0; i < RANDOM_IDS; i++) {
        const char *redacted, *redacted_before = redaction_name(&redaction, before);

        if (i % 4 == 1) /* a sibling, or what would be one */
            snprintf(id, sizeof id, "%.200s%u", before, i % 8);
        else
            id_make(&env, id);
        redacted = redaction_name(&redaction, id);
        if ((flink_stem(id) > 0) != (flink_stem(redacted) > 0) ||
            (flink_reader(id) > 0) != (flink_reader(redacted) > 0) ||
            are_siblings(id, before) != are_siblings(redacted, redacted_before))
            fail_msg("%s, %s: %s, %s", before, id, redacted_before, redacted);
        looks += flink_stem(id) > 0;
        siblings += are_siblings(id, before);
        memcpy(before, id, sizeof before);
    }
    /* Else nothing was shown. */
    assert_true(looks > RANDOM_IDS / 20 && siblings > RANDOM_IDS / 200);
    redaction_fini(&redaction);
}

static void
what_programs_made_is_redacted_too(void **state)
{
    struct redaction redaction;
    const char *hash, *uuid;
    struct err e;

    (void)state;
    assert_int_equal(redaction_init(&redaction, path, &e), RC_OK);
    hash = redaction_name(&redaction, "x-" HASH "-1234512345");
    uuid = redaction_name(&redaction, UUID);
    assert_null(strstr(hash, HASH));
    assert_null(strstr(hash, "12345"));
    assert_int_equal(strlen(uuid), strlen(UUID));
    assert_null(strstr(uuid, "6f2c8a3e"));
    assert_null(strstr(uuid, "123456789012"));
    assert_string_equal(redaction_name(&redaction, "x-" HASH "-1234512345"), hash);
    redaction_fini(&redaction);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stems_are_what_siblings_begin_with),
        cmocka_unit_test(a_number_behind_half_a_uuid_is_a_subtask),
        cmocka_unit_test(clients_of_a_source_have_a_prefix),
        cmocka_unit_test_setup_teardown(several_ids_of_one_stem_are_flinks, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_older_producer_is_known_by_its_operator, setup, teardown),
        cmocka_unit_test_setup_teardown(others_are_not_taken_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            topics_whose_offsets_are_committed_only_are_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(
            tasks_of_connect_are_known_by_the_workers_group, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_source_is_known_by_its_reader_and_its_admin_client, setup, teardown),
        cmocka_unit_test_setup_teardown(redaction_changes_no_shape, setup, teardown),
        cmocka_unit_test_setup_teardown(what_programs_made_is_redacted_too, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
