/* Producers of a whole broker that are silent for too long. */
#include "refbroker/log/producer_expiry.h"

#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

static int
setup(void **state)
{
    struct broker_world *world = calloc(1, sizeof *world);

    assert_non_null(world);
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

/* A producer that sent its last batch this long before now. */
static void
producer_note(struct broker_world *world, int64_t producer_id, int64_t age_ms, bool in_transaction)
{
    struct producer_batch batch = {.producer_id = producer_id,
        .max_timestamp = env_wall_ms(&world->time) - age_ms,
        .is_transactional = in_transaction};

    producers_note(partition_producers(broker_world_partition(world, 0)), &batch);
}

static size_t
producers_left(struct broker_world *world)
{
    return producers_count(broker_world_partition(world, 0)->producers);
}

static void
who_was_silent_for_the_time_is_forgotten_at_the_next_round(void **state)
{
    struct broker_world *world = *state;
    struct broker_options *options = &world->broker->options;

    options->producer_id_expiration_ms = 1000;
    options->producer_id_expiration_check_ms = 50;
    world->broker->producer_expiry_next_ms = env_now_ms(&world->time) + 50;
    producer_note(world, 1, 1000, false);
    producer_note(world, 2, 999, false);
    producer_note(world, 3, 5000, true);
    assert_int_equal(producer_expiry_tick(world->broker), env_now_ms(&world->time) + 50);
    assert_int_equal(producers_left(world), 3);
    world->broker->producer_expiry_next_ms = env_now_ms(&world->time);
    assert_int_equal(producer_expiry_tick(world->broker), env_now_ms(&world->time) + 50);
    assert_int_equal(producers_left(world), 2);
    assert_false(producers_knows(broker_world_partition(world, 0)->producers, 1));
}

static void
a_shorter_time_counts_from_the_next_round_on(void **state)
{
    struct broker_world *world = *state;

    producer_note(world, 1, 500, false);
    world->broker->producer_expiry_next_ms = 0;
    (void)producer_expiry_tick(world->broker);
    assert_int_equal(producers_left(world), 1);
    world->broker->options.producer_id_expiration_ms = 500;
    world->broker->producer_expiry_next_ms = 0;
    (void)producer_expiry_tick(world->broker);
    assert_int_equal(producers_left(world), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_was_silent_for_the_time_is_forgotten_at_the_next_round, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_shorter_time_counts_from_the_next_round_on, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
