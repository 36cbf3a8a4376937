/* How long clients wait for their quotas. */
#include "refbroker/coord/quota_meters.h"

#include <math.h>
#include <string.h>

#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1000000)
#define KEY_BYTES_MAX 1000

static const struct quota_client client = {{"ANONYMOUS", 9}, {"c", 1}};
static const struct quota_client other = {{"ANONYMOUS", 9}, {"d", 1}};

struct rig {
    struct quotas quotas;
    struct quota_meters meters;
};

static struct rig rig;

static int
setup(void **state)
{
    (void)state;
    quotas_init(&rig.quotas);
    quota_meters_init(&rig.meters, &rig.quotas);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    quota_meters_fini(&rig.meters);
    quotas_fini(&rig.quotas);
    return 0;
}

static void
set(enum quota_part part, const char *name, enum quota_name quota, double value)
{
    struct quota_entity entity = {0};
    struct buf key;
    struct err e;

    entity.has[part] = true;
    entity.names[part] = (struct wire_string){name, name == NULL ? -1 : (int32_t)strlen(name)};
    buf_init(&key, KEY_BYTES_MAX);
    quotas_entity_key(&entity, &key);
    assert_int_equal(quotas_set(&rig.quotas, key.data, key.size, quota, value, &e), RC_OK);
    buf_fini(&key);
}

static int64_t
record(const struct quota_client *of, double amount, int64_t at_ms)
{
    return quota_meters_record(&rig.meters, QUOTA_PRODUCER_BYTE_RATE, of, amount, at_ms);
}

static void
without_a_quota_nothing_is_noted(void **state)
{
    (void)state;
    assert_int_equal(record(&client, 1e12, NOW_MS), 0);
    assert_int_equal(map_count(&rig.meters.meters), 0);
    assert_true(isinf(quota_meters_most(&rig.meters, QUOTA_PRODUCER_BYTE_RATE, &client)));
}

/* At 100 a second there is room for 1,000 at once; each 100 above that are a second to wait. */
static void
an_amount_above_the_quota_waits_until_it_would_not_be(void **state)
{
    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_PRODUCER_BYTE_RATE, 100);
    assert_true(quota_meters_most(&rig.meters, QUOTA_PRODUCER_BYTE_RATE, &client) == 1000);
    assert_int_equal(record(&client, 1000, NOW_MS), 0);
    assert_int_equal(record(&client, 100, NOW_MS), 1000);
    assert_int_equal(record(&client, 0, NOW_MS + 500), 500);
    assert_int_equal(record(&client, 0, NOW_MS + 999), 1);
    /* Rate.java counts whole samples: with the next one the time begins anew. */
    assert_int_equal(record(&client, 0, NOW_MS + 1000), 1000);
    assert_int_equal(record(&client, 0, NOW_MS + 1500), 500);
}

static void
the_smallest_quota_makes_wait_for_weeks_and_no_longer(void **state)
{
    int64_t wait_ms;

    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_PRODUCER_BYTE_RATE, 1e-320);
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_CONTROLLER_MUTATION_RATE, 1e-320);
    assert_int_equal(record(&client, 1, NOW_MS), INT32_MAX);
    assert_true(quota_meters_take(&rig.meters, &client, 1, false, NOW_MS, &wait_ms));
    assert_int_equal(wait_ms, INT32_MAX);
}

static void
what_is_old_counts_no_more(void **state)
{
    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_PRODUCER_BYTE_RATE, 100);
    assert_int_equal(record(&client, 5000, NOW_MS), 40000);
    assert_true(record(&client, 0, NOW_MS + 10999) > 0);
    assert_int_equal(record(&client, 1000, NOW_MS + 11000), 0);
    /* A steady rate within the quota never waits, however long it goes on. */
    for (int64_t at_ms = NOW_MS + 30000; at_ms < NOW_MS + 90000; at_ms += 100)
        assert_int_equal(record(&client, 9.9, at_ms), 0);
}

static void
an_amount_can_be_taken_back(void **state)
{
    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_PRODUCER_BYTE_RATE, 100);
    assert_int_equal(record(&client, 1100, NOW_MS), 1000);
    quota_meters_unrecord(&rig.meters, QUOTA_PRODUCER_BYTE_RATE, &client, 1100, NOW_MS);
    assert_int_equal(record(&client, 1000, NOW_MS), 0);
}

static void
clients_of_one_entity_share_and_of_several_do_not(void **state)
{
    (void)state;
    set(QUOTA_PART_CLIENT_ID, NULL, QUOTA_PRODUCER_BYTE_RATE, 100);
    assert_int_equal(record(&client, 1000, NOW_MS), 0);
    assert_int_equal(record(&other, 1000, NOW_MS), 0); /* each name has the default for itself */
    set(QUOTA_PART_USER, "ANONYMOUS", QUOTA_PRODUCER_BYTE_RATE, 100);
    assert_int_equal(record(&client, 1000, NOW_MS), 0);
    assert_true(record(&other, 100, NOW_MS) > 0); /* the user has it once */
}

static bool
take(double mutations, bool strict, int64_t at_ms, int64_t *wait_ms)
{
    return quota_meters_take(&rig.meters, &client, mutations, strict, at_ms, wait_ms);
}

static void
a_bucket_may_be_overdrawn_once(void **state)
{
    int64_t wait_ms;

    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_CONTROLLER_MUTATION_RATE, 2);
    assert_true(take(22 + 10, true, NOW_MS, &wait_ms));
    assert_int_equal(wait_ms, 0);
    assert_false(take(1, true, NOW_MS + 1000, &wait_ms));
    assert_int_equal(wait_ms, 4000);
    assert_true(take(1, false, NOW_MS + 1000, &wait_ms)); /* who knows no refusal */
    assert_int_equal(wait_ms, 4500);
    assert_true(take(1, true, NOW_MS + 5500, &wait_ms));
    assert_int_equal(wait_ms, 0);
}

static void
a_bucket_is_never_fuller_than_eleven_seconds(void **state)
{
    int64_t wait_ms;

    (void)state;
    set(QUOTA_PART_CLIENT_ID, "c", QUOTA_CONTROLLER_MUTATION_RATE, 2);
    assert_true(take(0, true, NOW_MS, &wait_ms));
    assert_true(take(22.5, true, NOW_MS + 1000000, &wait_ms));
    assert_false(take(1, true, NOW_MS + 1000000, &wait_ms));
    assert_int_equal(wait_ms, 250);
}

static void
meters_are_bounded_and_those_at_rest_go(void **state)
{
    char name[16];

    (void)state;
    set(QUOTA_PART_CLIENT_ID, NULL, QUOTA_PRODUCER_BYTE_RATE, 100);
    for (int i = 0; i < QUOTA_METERS_MAX; i++) {
        struct quota_client one = client;

        snprintf(name, sizeof name, "n%d", i);
        one.client_id = (struct wire_string){name, (int32_t)strlen(name)};
        assert_true(record(&one, 2000, NOW_MS) > 0);
    }
    assert_int_equal(record(&client, 2000, NOW_MS), 0); /* there is no room: not throttled */
    assert_true(record(&client, 2000, NOW_MS + 13000) > 0);
    assert_int_equal(map_count(&rig.meters.meters), 1);
}

static int64_t
connect(const char *address, int64_t at_ms)
{
    return quota_meters_connect(
        &rig.meters, (struct wire_string){address, (int32_t)strlen(address)}, at_ms);
}

/* At two a second there is room for twenty at once. */
static void
connections_above_the_quota_wait_and_do_not_count(void **state)
{
    (void)state;
    assert_int_equal(connect("10.0.0.1", NOW_MS), 0);
    assert_int_equal(map_count(&rig.meters.meters), 0);
    set(QUOTA_PART_IP, NULL, QUOTA_CONNECTION_CREATION_RATE, 2);
    for (int i = 0; i < 20; i++)
        assert_int_equal(connect("10.0.0.1", NOW_MS), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(connect("10.0.0.1", NOW_MS), 500);
    assert_int_equal(connect("10.0.0.1", NOW_MS + 499), 1);
    assert_int_equal(connect("10.0.0.1", NOW_MS + 500), 0);
}

static void
each_address_has_a_meter_of_its_own(void **state)
{
    (void)state;
    set(QUOTA_PART_IP, NULL, QUOTA_CONNECTION_CREATION_RATE, 1);
    set(QUOTA_PART_IP, "10.0.0.3", QUOTA_CONNECTION_CREATION_RATE, 3);
    for (int i = 0; i < 10; i++)
        assert_int_equal(connect("10.0.0.1", NOW_MS), 0);
    assert_true(connect("10.0.0.1", NOW_MS) > 0);
    assert_int_equal(connect("10.0.0.2", NOW_MS), 0);
    for (int i = 0; i < 30; i++)
        assert_int_equal(connect("10.0.0.3", NOW_MS), 0);
    assert_true(connect("10.0.0.3", NOW_MS) > 0);
}

static void
a_connection_is_closed_after_a_second_at_most(void **state)
{
    (void)state;
    set(QUOTA_PART_IP, NULL, QUOTA_CONNECTION_CREATION_RATE, 1e-6);
    assert_int_equal(connect("10.0.0.1", NOW_MS), 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_quota_nothing_is_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_amount_above_the_quota_waits_until_it_would_not_be, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_smallest_quota_makes_wait_for_weeks_and_no_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_old_counts_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(an_amount_can_be_taken_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            clients_of_one_entity_share_and_of_several_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bucket_may_be_overdrawn_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_bucket_is_never_fuller_than_eleven_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(
            connections_above_the_quota_wait_and_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(each_address_has_a_meter_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_connection_is_closed_after_a_second_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(meters_are_bounded_and_those_at_rest_go, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
