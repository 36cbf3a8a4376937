#include "lib/base/blob.h"

#include <pthread.h>

#include "lib/base/disk.h"
#include "tests/unit/unit.h"

static void
a_blob_lives_as_long_as_its_last_reference(void **state)
{
    struct blob *blob = blob_new(1000);

    (void)state;
    assert_int_equal(blob->size, 1000);
    assert_int_equal(blob->refs, 1);
    memset(blob->data, 'b', blob->size);
    assert_ptr_equal(blob_ref(blob), blob);
    blob_unref(blob);
    assert_int_equal(blob->data[999], 'b');
    blob_unref(blob);
    blob_unref(NULL);
}

static void
sizes_around_the_classes_hold_what_they_say(void **state)
{
    static const size_t sizes[] = {0, 1, 32767, 32768, 32769, 65535, 65536, 65537, 131072, 131073,
        ((size_t)1 << 24) - 1, (size_t)1 << 24, ((size_t)1 << 24) + 1};

    (void)state;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct blob *blob = blob_new(sizes[i]);

            assert_non_null(blob);
            assert_int_equal(blob->size, sizes[i]);
            memset(blob->data, 0x55, sizes[i]);
            blob_unref(blob);
        }
    blob_trim();
}

static void
data_of_direct_ones_is_aligned(void **state)
{
    static const size_t sizes[] = {0, 1, DISK_ALIGN_BYTES, 100000, (size_t)3 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct blob *blob = blob_new_direct(sizes[i]);

        assert_non_null(blob);
        assert_int_equal((uintptr_t)blob->data % DISK_ALIGN_BYTES, 0);
        assert_int_equal(blob->size, sizes[i]);
        memset(blob->data, 0x55, sizes[i]);
        blob_unref(blob_ref(blob));
        blob_unref(blob);
    }
    assert_null(blob_new_direct(SIZE_MAX));
}

static void
freed_memory_is_used_again(void **state)
{
    struct blob *first = blob_new(100000), *second;

    (void)state;
    blob_unref(first);
    second = blob_new(70000); /* of the same power of two */
    assert_ptr_equal(second, first);
    assert_int_equal(second->size, 70000);
    blob_unref(second);
    blob_trim();
}

/* More is freed than is kept: what comes from the spares is where the first ones were, and taking
 * all of them back leaves none. */
static void
spare_memory_is_bounded(void **state)
{
    enum { COUNT = 40, KEPT = 16 };
    const size_t size = BLOB_SPARE_MAX / KEPT;
    struct blob *blobs[COUNT], *spares[COUNT];
    int from_spares = 0;

    (void)state;
    assert_in_range(size, 65537, (size_t)1 << 24);
    for (int i = 0; i < COUNT; i++)
        blobs[i] = blob_new(size);
    for (int i = 0; i < COUNT; i++)
        blob_unref(blobs[i]);
    /* The last one freed into the spares is the first to come back. */
    for (int i = 0; i < KEPT; i++) {
        spares[i] = blob_new(size);
        from_spares += spares[i] == blobs[KEPT - 1 - i];
    }
    assert_int_equal(from_spares, KEPT);
    for (int i = 0; i < KEPT; i++)
        blob_unref(spares[i]);
    blob_trim();
}

static void
a_size_that_no_memory_has_gives_null(void **state)
{
    (void)state;
    assert_null(blob_new(SIZE_MAX));
    assert_null(blob_new(SIZE_MAX - sizeof(struct blob) + 1));
}

static void *
make_and_trim(void *arg)
{
    for (int i = 0; i < 100; i++)
        blob_unref(blob_new(100000));
    blob_trim();
    return arg;
}

static void
each_thread_has_its_own_spares(void **state)
{
    pthread_t threads[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_trim, NULL), 0);
    make_and_trim(NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_lives_as_long_as_its_last_reference),
        cmocka_unit_test(sizes_around_the_classes_hold_what_they_say),
        cmocka_unit_test(data_of_direct_ones_is_aligned),
        cmocka_unit_test(freed_memory_is_used_again),
        cmocka_unit_test(spare_memory_is_bounded),
        cmocka_unit_test(a_size_that_no_memory_has_gives_null),
        cmocka_unit_test(each_thread_has_its_own_spares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
