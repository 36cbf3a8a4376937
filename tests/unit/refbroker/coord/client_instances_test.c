/* When a client may ask for its subscription and push its metrics, and when it is forgotten. */
#include "refbroker/coord/client_instances.h"

#include "lib/base/xalloc.h"
#include "lib/wire/compress.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/client_metrics.h"
#include "tests/unit/unit.h"

#define INTERVAL_MS 1000
#define SIZE_MAX_BYTES 100

struct rig {
    struct env env;
    struct resource_configs configs;
    struct client_instances *instances;
};

static const struct client_traits traits = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "anna"}};
static struct rig rig;

static void
subscribe(const char *metrics)
{
    resource_configs_set(
        &rig.configs, RESOURCE_CLIENT_METRICS, "s", CLIENT_METRICS_INTERVAL_MS, "1000");
    resource_configs_set(
        &rig.configs, RESOURCE_CLIENT_METRICS, "s", CLIENT_METRICS_METRICS, metrics);
    client_subscriptions_update(&rig.instances->subscriptions, &rig.configs, "s");
}

static int
setup(void **state)
{
    (void)state;
    env_init_seeded(&rig.env, 1, 0);
    resource_configs_init(&rig.configs);
    rig.instances = client_instances_new(&rig.env);
    subscribe("org.a");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    client_instances_free(rig.instances);
    resource_configs_fini(&rig.configs);
    return 0;
}

static struct wire_uuid
id_of(unsigned number)
{
    return (struct wire_uuid){{(uint8_t)(number >> 8), (uint8_t)number, 7}};
}

static struct client_instance *
use(unsigned number)
{
    struct wire_uuid id = id_of(number);
    bool fresh;

    return client_instances_use(rig.instances, &id, &traits, &fresh);
}

static int16_t
get(unsigned number)
{
    return client_instances_get(rig.instances, use(number));
}

/* A push that is fine but for what `change` says. */
static int16_t
push_as(unsigned number, struct client_push push)
{
    struct client_instance *instance = use(number);
    int16_t error;

    push.size_max = SIZE_MAX_BYTES;
    push.subscription_id += instance->subscription_id;
    error = client_instances_push(rig.instances, instance, &push);
    if (error == KE_NONE)
        client_instances_settle(rig.instances, instance, KE_NONE);
    return error;
}

static int16_t
push(unsigned number)
{
    return push_as(number, (struct client_push){.size = 1});
}

static int16_t
push_last(unsigned number)
{
    return push_as(number, (struct client_push){.last = true});
}

static void
wait_ms(int64_t ms)
{
    env_advance(&rig.env, ms * 1000);
}

static void
show(unsigned number)
{
    struct client_sample sample = {.text = "client_a", .name_size = 8, .value = 1};

    assert_true(client_samples_put(&rig.instances->samples, &use(number)->values, &sample));
}

static void
a_client_may_ask_once_an_interval(void **state)
{
    (void)state;
    assert_int_equal(get(1), KE_NONE);
    wait_ms(INTERVAL_MS - 1);
    assert_int_equal(get(1), KE_THROTTLING_QUOTA_EXCEEDED);
    assert_int_equal(get(2), KE_NONE);
    wait_ms(1);
    assert_int_equal(get(1), KE_NONE);
}

static void
the_first_push_may_follow_at_once_and_the_next_one_after_the_interval(void **state)
{
    (void)state;
    assert_int_equal(get(1), KE_NONE);
    wait_ms(1);
    assert_int_equal(push(1), KE_NONE);
    wait_ms(INTERVAL_MS - 1);
    assert_int_equal(push(1), KE_THROTTLING_QUOTA_EXCEEDED);
    wait_ms(1);
    assert_int_equal(push(1), KE_NONE);
    assert_int_equal(get(1), KE_THROTTLING_QUOTA_EXCEEDED);
}

static void
the_last_push_may_come_early_and_nothing_after_it(void **state)
{
    (void)state;
    assert_int_equal(push(1), KE_NONE);
    assert_int_equal(push_last(1), KE_NONE);
    assert_int_equal(push_last(1), KE_INVALID_REQUEST);
    wait_ms(2 * INTERVAL_MS);
    assert_int_equal(push(1), KE_INVALID_REQUEST);
    /* Kafka forgets it then. */
    assert_int_equal(push(1), KE_NONE);
}

static void
an_unknown_subscription_is_refused_and_may_be_asked_for_at_once(void **state)
{
    (void)state;
    assert_int_equal(get(1), KE_NONE);
    wait_ms(1);
    assert_int_equal(
        push_as(1, (struct client_push){.subscription_id = 1}), KE_UNKNOWN_SUBSCRIPTION_ID);
    assert_int_equal(get(1), KE_NONE);
    assert_int_equal(get(1), KE_THROTTLING_QUOTA_EXCEEDED);
}

static void
codecs_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_int_equal(push_as(1, (struct client_push){.codec = COMPRESS_ZSTD}), KE_NONE);
    assert_int_equal(push_as(2, (struct client_push){.codec = COMPRESS_ZSTD + 1}),
        KE_UNSUPPORTED_COMPRESSION_TYPE);
    assert_int_equal(get(2), KE_NONE);
    assert_int_equal(
        push_as(3, (struct client_push){.codec = -1}), KE_UNSUPPORTED_COMPRESSION_TYPE);
}

static void
a_push_may_not_be_too_large(void **state)
{
    (void)state;
    assert_int_equal(push_as(1, (struct client_push){.size = SIZE_MAX_BYTES}), KE_NONE);
    assert_int_equal(
        push_as(2, (struct client_push){.size = SIZE_MAX_BYTES + 1}), KE_TELEMETRY_TOO_LARGE);
}

static void
a_change_of_subscriptions_makes_everybody_new(void **state)
{
    int32_t before;

    (void)state;
    assert_int_equal(get(1), KE_NONE);
    assert_int_equal(push_last(1), KE_NONE);
    show(1);
    before = use(1)->subscription_id;
    subscribe("org.b");
    assert_int_not_equal(use(1)->subscription_id, before);
    assert_int_equal(rig.instances->samples.count, 0);
    assert_int_equal(get(1), KE_NONE);
    wait_ms(1);
    assert_int_equal(push(1), KE_NONE);
}

static void
fresh_tells_who_is_new(void **state)
{
    struct wire_uuid id = id_of(1);
    bool fresh = false;

    (void)state;
    (void)client_instances_use(rig.instances, &id, &traits, &fresh);
    assert_true(fresh);
    (void)client_instances_use(rig.instances, &id, &traits, &fresh);
    assert_false(fresh);
    subscribe("org.b");
    (void)client_instances_use(rig.instances, &id, &traits, &fresh);
    assert_true(fresh);
}

static void
who_is_silent_for_a_minute_is_forgotten_with_its_values(void **state)
{
    struct wire_uuid id = id_of(1);

    (void)state;
    assert_int_equal(client_instances_tick(rig.instances), INT64_MAX);
    show(1);
    assert_int_equal(client_instances_tick(rig.instances), CLIENT_INSTANCES_EXPIRY_MS_MIN);
    wait_ms(CLIENT_INSTANCES_EXPIRY_MS_MIN - 1);
    (void)client_instances_tick(rig.instances);
    assert_non_null(client_instances_find(rig.instances, &id));
    wait_ms(1);
    assert_int_equal(client_instances_tick(rig.instances), INT64_MAX);
    assert_null(client_instances_find(rig.instances, &id));
    assert_int_equal(rig.instances->samples.count, 0);
}

static void
three_intervals_may_pass_where_they_are_longer(void **state)
{
    (void)state;
    resource_configs_set(
        &rig.configs, RESOURCE_CLIENT_METRICS, "s", CLIENT_METRICS_INTERVAL_MS, "100000");
    client_subscriptions_update(&rig.instances->subscriptions, &rig.configs, "s");
    (void)use(1);
    assert_int_equal(client_instances_tick(rig.instances), 300000);
}

static void
the_values_of_a_client_go_with_its_last_push(void **state)
{
    (void)state;
    show(1);
    show(2);
    assert_int_equal(rig.instances->samples.count, 2);
    assert_int_equal(push_last(1), KE_NONE);
    assert_int_equal(rig.instances->samples.count, 1);
}

static void
who_asked_longest_ago_makes_room(void **state)
{
    struct wire_uuid first = id_of(0), second = id_of(1);

    (void)state;
    for (unsigned i = 0; i < CLIENT_INSTANCES_MAX; i++)
        (void)use(i);
    (void)use(0);
    (void)use(CLIENT_INSTANCES_MAX);
    assert_int_equal(map_count(&rig.instances->by_id), CLIENT_INSTANCES_MAX);
    assert_non_null(client_instances_find(rig.instances, &first));
    assert_null(client_instances_find(rig.instances, &second));
}

static void
a_client_can_be_forgotten_twice(void **state)
{
    struct wire_uuid id = id_of(1);

    (void)state;
    (void)use(1);
    client_instances_forget(rig.instances, &id);
    assert_null(client_instances_find(rig.instances, &id));
    client_instances_forget(rig.instances, &id);
}

static void
ids_that_are_made_are_random_uuids(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct wire_uuid one = client_instances_new_id(rig.instances);
        struct wire_uuid two = client_instances_new_id(rig.instances);

        assert_int_equal(one.bytes[6] >> 4, 4);
        assert_int_equal(one.bytes[8] >> 6, 2);
        assert_int_not_equal(one.bytes[0] >> 2, 62); /* a dash in base64 */
        assert_memory_not_equal(&one, &two, sizeof one);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_may_ask_once_an_interval, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_first_push_may_follow_at_once_and_the_next_one_after_the_interval, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_last_push_may_come_early_and_nothing_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_unknown_subscription_is_refused_and_may_be_asked_for_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(codecs_that_are_none_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_push_may_not_be_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_change_of_subscriptions_makes_everybody_new, setup, teardown),
        cmocka_unit_test_setup_teardown(fresh_tells_who_is_new, setup, teardown),
        cmocka_unit_test_setup_teardown(
            who_is_silent_for_a_minute_is_forgotten_with_its_values, setup, teardown),
        cmocka_unit_test_setup_teardown(
            three_intervals_may_pass_where_they_are_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_values_of_a_client_go_with_its_last_push, setup, teardown),
        cmocka_unit_test_setup_teardown(who_asked_longest_ago_makes_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_can_be_forgotten_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_that_are_made_are_random_uuids, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
