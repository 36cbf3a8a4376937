/* Each promise of cache.h, then random histories of three partitions against plain arrays. */
#include "refbroker/log/cache.h"

#include "lib/base/env.h"
#include "refbroker/meta/topics.h"
#include "tests/unit/unit.h"

#define BATCH_BYTES 100

static struct cache cache;
static struct topic topic;
static struct blob *blob;

static int
setup(void **state)
{
    (void)state;
    cache_init(&cache, 10 * BATCH_BYTES);
    blob = blob_new(BATCH_BYTES);
    return blob == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    assert_int_equal(cache.committed_bytes, 0);
    assert_int_equal(cache.uncommitted_bytes, 0);
    assert_true(list_is_empty(&cache.committed));
    assert_int_equal(blob->refs, 1);
    blob_unref(blob);
    blob_trim();
    return 0;
}

/* Appends batches of `records` records each, up to `end`. */
static void
fill(struct partition *partition, int64_t end, int64_t records)
{
    while (partition->log_end_offset < end) {
        int64_t base = partition->log_end_offset;
        struct cached_batch *batch = cache_add(
            partition, blob, blob->data, BATCH_BYTES, base, base + records - 1, base * 10);

        assert_ptr_equal(batch->data, blob->data);
        assert_int_equal(batch->max_timestamp, base * 10);
        partition->log_end_offset = base + records;
    }
}

static void
assert_found(const struct partition *partition, int64_t offset, int64_t base_offset)
{
    const struct cached_batch *batch = cache_find(partition, offset);

    if (base_offset < 0) {
        assert_null(batch);
        return;
    }
    assert_non_null(batch);
    assert_int_equal(batch->base_offset, base_offset);
}

static void
find_gives_the_first_batch_that_ends_at_the_offset_or_behind_it(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);

    (void)state;
    assert_found(partition, 0, -1);
    assert_int_equal(cache_start(partition), 0);
    partition->log_end_offset = 50;
    assert_int_equal(cache_start(partition), 50);
    fill(partition, 80, 10);
    assert_int_equal(cache_start(partition), 50);
    assert_found(partition, 0, 50);
    assert_found(partition, 50, 50);
    assert_found(partition, 59, 50);
    assert_found(partition, 60, 60);
    assert_found(partition, 79, 70);
    assert_found(partition, 80, -1);
    assert_found(partition, INT64_MAX, -1);
    partition_drop(partition);
}

static void
next_walks_to_the_end_of_the_log(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);
    const struct cached_batch *batch;
    int64_t expected = 0;

    (void)state;
    fill(partition, 900, 9);
    for (batch = cache_find(partition, 0); batch != NULL; batch = cache_next(batch)) {
        assert_int_equal(batch->base_offset, expected);
        expected += 9;
    }
    assert_int_equal(expected, 900);
    partition_drop(partition);
}

static void
batches_that_are_in_no_object_stay_whatever_the_budget(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);

    (void)state;
    fill(partition, 50, 1);
    assert_int_equal(cache.uncommitted_bytes, 50 * BATCH_BYTES);
    assert_int_equal(partition->cached.uncommitted_bytes, 50 * BATCH_BYTES);
    cache_commit(partition, 0);
    assert_found(partition, 0, 0);
    cache_commit(partition, 45);
    assert_int_equal(cache.uncommitted_bytes, 5 * BATCH_BYTES);
    assert_int_equal(partition->cached.uncommitted_bytes, 5 * BATCH_BYTES);
    assert_int_equal(cache.committed_bytes, 5 * BATCH_BYTES);
    assert_int_equal(cache_start(partition), 40);
    fill(partition, 53, 1);
    cache_commit(partition, 45);
    assert_int_equal(cache_start(partition), 43);
    assert_int_equal(cache.committed_bytes + cache.uncommitted_bytes, cache.bytes_max);
    partition_drop(partition);
}

static void
a_batch_is_committed_only_when_all_of_it_is(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);

    (void)state;
    fill(partition, 20, 10);
    cache_commit(partition, 9);
    assert_int_equal(cache.committed_bytes, 0);
    cache_commit(partition, 10);
    assert_int_equal(cache.committed_bytes, BATCH_BYTES);
    cache_commit(partition, 10);
    assert_int_equal(cache.committed_bytes, BATCH_BYTES);
    cache_commit(partition, 5);
    assert_int_equal(cache.committed_bytes, BATCH_BYTES);
    partition_drop(partition);
}

static void
the_oldest_committed_batch_of_all_partitions_leaves_first(void **state)
{
    struct partition *a = partition_new(&cache, &topic, 0), *b = partition_new(&cache, &topic, 1);

    (void)state;
    fill(a, 6, 1);
    fill(b, 4, 1);
    cache_commit(b, 2);
    cache_commit(a, 6);
    cache_commit(b, 4);
    fill(a, 9, 1);
    cache_commit(a, 6);
    assert_int_equal(cache_start(b), 2);
    assert_int_equal(cache_start(a), 1);
    partition_drop(a);
    partition_drop(b);
}

static void
a_dropped_partition_gives_back_everything(void **state)
{
    struct partition *a = partition_new(&cache, &topic, 0), *b = partition_new(&cache, &topic, 1);

    (void)state;
    fill(a, 8, 1);
    fill(b, 3, 1);
    cache_commit(a, 3);
    cache_drop_partition(a);
    assert_int_equal(cache.uncommitted_bytes, 3 * BATCH_BYTES);
    assert_int_equal(cache.committed_bytes, 0);
    assert_int_equal(a->cached.uncommitted_bytes, 0);
    assert_int_equal(blob->refs, 4);
    assert_int_equal(cache_start(a), 8);
    assert_null(a->cached.slots);
    fill(a, 10, 1);
    assert_found(a, 0, 8);
    partition_drop(a);
    partition_drop(b);
}

/* 200,000 lookups in 200,000 batches end at once because they are binary searches. */
static void
lookups_do_not_walk(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);

    (void)state;
    fill(partition, 200000, 1);
    for (int64_t offset = 0; offset < 200000; offset++)
        assert_int_equal(cache_find(partition, offset)->base_offset, offset);
    partition_drop(partition);
}

#define PARTITIONS 3
#define BATCHES_MAX 4000

/* One partition as an array: what was appended, and how much of the front has left. */
struct model {
    int64_t base[BATCHES_MAX];
    size_t count, committed, gone;
};

static void
model_check(const struct partition *partition, const struct model *model, struct env *env)
{
    int64_t end = partition->log_end_offset;
    int64_t offset = (int64_t)env_random_below(env, (uint64_t)end + 3);
    size_t i = model->gone;

    assert_int_equal(partition->cached.count, model->count - model->gone);
    assert_int_equal(cache_start(partition), i == model->count ? end : model->base[i]);
    while (i < model->count && (i + 1 < model->count ? model->base[i + 1] : end) <= offset)
        i++;
    assert_found(partition, offset, i == model->count ? -1 : model->base[i]);
}

/* What the budget makes leave, in the order of commits. */
static void
model_shrink(struct model *models, const int *order, size_t *order_first, size_t order_count)
{
    size_t cached = 0;

    for (int i = 0; i < PARTITIONS; i++)
        cached += models[i].count - models[i].gone;
    for (; cached > cache.bytes_max / BATCH_BYTES && *order_first < order_count; cached--)
        models[order[(*order_first)++]].gone++;
}

static void
random_histories_agree_with_plain_arrays(void **state)
{
    static struct model models[PARTITIONS];
    static int order[PARTITIONS * BATCHES_MAX];

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct partition *partitions[PARTITIONS];
        size_t order_first = 0, order_count = 0;
        struct env env;

        memset(models, 0, sizeof models);
        env_init_seeded(&env, seed, 0);
        for (int i = 0; i < PARTITIONS; i++)
            partitions[i] = partition_new(&cache, &topic, i);
        for (int step = 0; step < BATCHES_MAX; step++) {
            int which = (int)env_random_below(&env, PARTITIONS);
            struct model *model = &models[which];

            if (env_random_below(&env, 3) > 0) {
                model->base[model->count++] = partitions[which]->log_end_offset;
                fill(partitions[which], partitions[which]->log_end_offset + 1,
                    1 + (int64_t)env_random_below(&env, 5));
            } else {
                size_t upto =
                    model->committed + env_random_below(&env, model->count - model->committed + 1);

                cache_commit(partitions[which],
                    upto == model->count ? partitions[which]->log_end_offset : model->base[upto]);
                for (; model->committed < upto; model->committed++)
                    order[order_count++] = which;
                model_shrink(models, order, &order_first, order_count);
            }
            model_check(partitions[which], model, &env);
        }
        for (int i = 0; i < PARTITIONS; i++)
            partition_drop(partitions[i]);
    }
}

static void
a_trim_lets_what_lies_in_objects_go_and_nothing_else(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);

    (void)state;
    fill(partition, 50, 10);
    cache_commit(partition, 30);
    cache_trim(partition, 19);
    assert_int_equal(cache_start(partition), 10);
    cache_trim(partition, 50);
    assert_int_equal(cache_start(partition), 30);
    assert_int_equal(cache.committed_bytes, 0);
    assert_int_equal(cache.uncommitted_bytes, 2 * BATCH_BYTES);
    partition_drop(partition);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            find_gives_the_first_batch_that_ends_at_the_offset_or_behind_it, setup, teardown),
        cmocka_unit_test_setup_teardown(next_walks_to_the_end_of_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(
            batches_that_are_in_no_object_stay_whatever_the_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_batch_is_committed_only_when_all_of_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_oldest_committed_batch_of_all_partitions_leaves_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_partition_gives_back_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_trim_lets_what_lies_in_objects_go_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(lookups_do_not_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(random_histories_agree_with_plain_arrays, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
