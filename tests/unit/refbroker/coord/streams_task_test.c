/* What sets of tasks promise. */
#include "refbroker/coord/streams_task.h"

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/limits.h"
#include "tests/unit/unit.h"

/* "0:1,2 1:5@7" is a set: partitions by subtopology, epochs behind an @. */
static struct streams_tasks
set_of(const char *text)
{
    struct streams_tasks tasks = {.runs = NULL};
    char *copy = xstrdup(text), *runs = NULL;

    for (char *run = strtok_r(copy, " ", &runs); run != NULL; run = strtok_r(NULL, " ", &runs)) {
        char *at = strchr(run, ':'), *items = NULL;

        *at = '\0';
        for (char *item = strtok_r(at + 1, ",", &items); item != NULL;
             item = strtok_r(NULL, ",", &items)) {
            char *epoch = strchr(item, '@');

            streams_tasks_add(&tasks, run, (int32_t)strtol(item, NULL, 10),
                epoch == NULL ? 0 : (int32_t)strtol(epoch + 1, NULL, 10));
        }
    }
    free(copy);
    return tasks;
}

static void
assert_set(const struct streams_tasks *tasks, const char *text)
{
    struct streams_tasks expected = set_of(text);

    assert_true(streams_tasks_equal(tasks, &expected));
    streams_tasks_fini(&expected);
}

static void
a_set_is_in_order_and_has_each_task_once(void **state)
{
    struct streams_tasks tasks = set_of("b:3,1,2,1 a:9 b:2@4");

    (void)state;
    assert_int_equal(tasks.count, 2);
    assert_int_equal(tasks.task_count, 4);
    assert_string_equal(tasks.runs[0].subtopology_id, "a");
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(tasks.runs[1].tasks[i].partition, i + 1);
    assert_int_equal(streams_tasks_find(&tasks, "b", 2)->epoch, 0);
    assert_null(streams_tasks_find(&tasks, "b", 4));
    assert_null(streams_tasks_find(&tasks, "c", 1));
    assert_null(streams_tasks_run(&tasks, "c"));
    streams_tasks_fini(&tasks);
    assert_true(streams_tasks_is_empty(&tasks));
}

static void
a_run_of_a_message_comes_in_any_order(void **state)
{
    static const int32_t partitions[] = {4, 2, 4, 0}, epochs[] = {7, 8, 7, 9};
    struct streams_tasks tasks = {.runs = NULL};

    (void)state;
    assert_int_equal(
        streams_tasks_put(&tasks, codec_string("1"), partitions, epochs, 4, 3, NULL), RC_OK);
    assert_int_equal(
        streams_tasks_put(&tasks, codec_string("0"), partitions, NULL, 2, 3, NULL), RC_OK);
    assert_set(&tasks, "0:2@3,4@3 1:0@9,2@8,4@7");
    assert_int_equal(tasks.task_count, 5);
    streams_tasks_fini(&tasks);
}

static void
an_empty_run_makes_a_set_that_is_not_empty(void **state)
{
    struct streams_tasks tasks = {.runs = NULL}, none = {.runs = NULL}, some = set_of("0:1");

    (void)state;
    assert_int_equal(streams_tasks_put(&tasks, codec_string("0"), NULL, NULL, 0, 0, NULL), RC_OK);
    assert_false(streams_tasks_is_empty(&tasks));
    assert_false(streams_tasks_same(&tasks, &none));
    assert_true(streams_tasks_contains(&some, &tasks));
    assert_false(streams_tasks_contains(&none, &tasks));
    assert_false(streams_tasks_touches(&tasks, &some));
    streams_tasks_merge(&tasks, &some);
    assert_set(&tasks, "0:1");
    streams_tasks_fini(&tasks);
    streams_tasks_fini(&some);
}

static void
what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    struct streams_tasks tasks = set_of("0:1");
    int32_t *many = xcalloc(LIMIT_STREAMS_TASKS_MAX, sizeof *many), one = 5;
    struct err e;

    (void)state;
    for (int32_t i = 0; i < LIMIT_STREAMS_TASKS_MAX; i++)
        many[i] = LIMIT_STREAMS_TASKS_MAX - i;
    assert_int_equal(
        streams_tasks_put(&tasks, codec_string("0"), &one, NULL, 1, 0, &e), RC_CONFLICT);
    assert_int_equal(
        streams_tasks_put(&tasks, (struct wire_string){"0\0x", 3}, &one, NULL, 1, 0, &e),
        RC_CONFLICT);
    assert_int_equal(
        streams_tasks_put(&tasks, codec_string(NULL), &one, NULL, 1, 0, &e), RC_CONFLICT);
    assert_int_equal(
        streams_tasks_put(&tasks, codec_string("1"), many, NULL, LIMIT_STREAMS_TASKS_MAX, 0, &e),
        RC_LIMIT);
    assert_set(&tasks, "0:1");
    assert_int_equal(streams_tasks_put(
                         &tasks, codec_string("1"), many, NULL, LIMIT_STREAMS_TASKS_MAX - 1, 0, &e),
        RC_OK);
    free(many);
    streams_tasks_fini(&tasks);
}

static void
a_set_has_so_many_subtopologies(void **state)
{
    struct streams_tasks tasks = {.runs = NULL};
    char id[16];

    (void)state;
    for (int i = 0; i <= LIMIT_STREAMS_SUBTOPOLOGIES_MAX; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        assert_int_equal(streams_tasks_put(&tasks, codec_string(id), NULL, NULL, 0, 0, NULL),
            i < LIMIT_STREAMS_SUBTOPOLOGIES_MAX ? RC_OK : RC_LIMIT);
    }
    streams_tasks_fini(&tasks);
}

static void
two_sets_are_compared_cut_and_merged(void **state)
{
    struct streams_tasks a = set_of("0:1@5,2@6,3@7 1:1@8 2:9@9"), b = set_of("0:2,4 1:1 3:0");
    struct streams_tasks out = {.runs = NULL};

    (void)state;
    assert_true(streams_tasks_touches(&a, &b));
    assert_false(streams_tasks_contains(&a, &b));
    streams_tasks_common(&out, &a, &b);
    assert_set(&out, "0:2@6 1:1@8");
    assert_true(streams_tasks_contains(&a, &out));
    assert_true(streams_tasks_contains(&b, &out));
    assert_true(streams_tasks_touches(&b, &out));
    streams_tasks_without(&out, &a, &b);
    assert_set(&out, "0:1@5,3@7 2:9@9");
    assert_false(streams_tasks_touches(&b, &out));
    streams_tasks_without(&out, &b, &a);
    streams_tasks_set_epoch(&out, 4);
    assert_set(&out, "0:4@4 3:0@4");
    streams_tasks_merge(&out, &a);
    assert_set(&out, "0:1@5,2@6,3@7,4@4 1:1@8 2:9@9 3:0@4");
    assert_int_equal(out.task_count, 7);
    streams_tasks_merge(&out, &b);
    assert_int_equal(streams_tasks_find(&out, "0", 2)->epoch, 0);
    assert_int_equal(out.task_count, 7);
    assert_false(streams_tasks_equal(&out, &a));
    streams_tasks_fini(&out);
    streams_tasks_fini(&b);
    streams_tasks_fini(&a);
}

static void
epochs_count_where_they_are_asked_for(void **state)
{
    struct streams_tasks a = set_of("0:1@5"), b = set_of("0:1@6"), c = set_of("0:2@5");

    (void)state;
    assert_true(streams_tasks_same(&a, &b));
    assert_false(streams_tasks_equal(&a, &b));
    assert_false(streams_tasks_same(&a, &c));
    streams_tasks_fini(&b);
    b = set_of("0:1 1:1,2");
    streams_tasks_fini(&c);
    c = set_of("0:1,2 1:1");
    assert_false(streams_tasks_same(&b, &c));
    streams_tasks_copy(&b, &a);
    assert_true(streams_tasks_equal(&a, &b));
    streams_tasks_move(&c, &a);
    assert_true(streams_tasks_is_empty(&a));
    assert_true(streams_tasks_equal(&c, &b));
    streams_tasks_fini(&b);
    streams_tasks_fini(&c);
}

static bool
is_odd(void *arg, const char *subtopology_id, int32_t partition)
{
    ++*(int *)arg;
    return strcmp(subtopology_id, "0") == 0 && partition % 2 != 0;
}

static void
tasks_are_dropped_with_runs_that_this_empties(void **state)
{
    struct streams_tasks tasks = set_of("0:1,3 1:1 2:5");
    int asked = 0;

    (void)state;
    assert_true(streams_tasks_drop(&tasks, is_odd, &asked));
    assert_int_equal(asked, 4);
    assert_set(&tasks, "1:1 2:5");
    assert_int_equal(tasks.task_count, 2);
    assert_false(streams_tasks_drop(&tasks, is_odd, &asked));
    streams_tasks_fini(&tasks);
}

static void
runs_have_an_order_in_kafkas_table(void **state)
{
    struct streams_tasks tasks = set_of("1:0 10:0 2:0 a:0");
    size_t *places = streams_tasks_by_table(&tasks);
    static const size_t expected[] = {0, 3, 2, 1};

    (void)state;
    /* Of 16 buckets "1" (49) is in 1, "10" (1567) in 15, "2" (50) in 2, "a" (97) in 1. */
    assert_memory_equal(places, expected, sizeof expected);
    free(places);
    streams_tasks_fini(&tasks);
}

static void
an_assignment_has_three_kinds(void **state)
{
    struct streams_assignment a = {.active = set_of("0:1@3"), .standby = set_of("0:2")};
    struct streams_assignment b = {.active = set_of("0:1@4"), .warmup = set_of("0:3")};
    struct streams_assignment none = {.active = {.runs = NULL}};

    (void)state;
    assert_true(streams_assignment_is_empty(&none));
    assert_false(streams_assignment_is_empty(&b));
    assert_true(streams_assignment_touches(&a, &b));
    assert_false(streams_assignment_touches(&a, &none));
    streams_assignment_merge(&a, &b);
    assert_set(&a.active, "0:1@4");
    assert_set(&a.standby, "0:2");
    assert_set(&a.warmup, "0:3");
    streams_assignment_copy(&b, &a);
    assert_true(streams_assignment_equal(&a, &b));
    streams_tasks_set_epoch(&b.active, 9);
    assert_false(streams_assignment_equal(&a, &b));
    assert_true(streams_assignment_same(&a, &b));
    streams_assignment_move(&none, &b);
    assert_true(streams_assignment_is_empty(&b));
    streams_assignment_fini(&a);
    streams_assignment_fini(&none);
}

/* Against a plain table: merging and cutting give the same sets. */
static void
random_sets_agree_with_a_table(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct streams_tasks a = {.runs = NULL}, b = {.runs = NULL}, out = {.runs = NULL};
        bool in_a[32] = {false}, in_b[32] = {false};

        srand(seed);
        for (int i = 0; i < 40; i++) {
            int32_t partition = rand() % 32;
            bool to_a = rand() % 2 == 0;

            (to_a ? in_a : in_b)[partition] = true;
            streams_tasks_add(to_a ? &a : &b, "s", partition, 0);
        }
        streams_tasks_without(&out, &a, &b);
        for (int32_t i = 0; i < 32; i++)
            assert_int_equal(streams_tasks_find(&out, "s", i) != NULL, in_a[i] && !in_b[i]);
        streams_tasks_copy(&out, &a);
        streams_tasks_merge(&out, &b);
        for (int32_t i = 0, count = 0; i < 32; i++) {
            count += in_a[i] || in_b[i];
            assert_int_equal(streams_tasks_find(&out, "s", i) != NULL, in_a[i] || in_b[i]);
            assert_true(i < 31 || out.task_count == (size_t)count);
        }
        streams_tasks_fini(&out);
        streams_tasks_fini(&a);
        streams_tasks_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_in_order_and_has_each_task_once),
        cmocka_unit_test(a_run_of_a_message_comes_in_any_order),
        cmocka_unit_test(an_empty_run_makes_a_set_that_is_not_empty),
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
        cmocka_unit_test(a_set_has_so_many_subtopologies),
        cmocka_unit_test(two_sets_are_compared_cut_and_merged),
        cmocka_unit_test(epochs_count_where_they_are_asked_for),
        cmocka_unit_test(tasks_are_dropped_with_runs_that_this_empties),
        cmocka_unit_test(runs_have_an_order_in_kafkas_table),
        cmocka_unit_test(an_assignment_has_three_kinds),
        cmocka_unit_test(random_sets_agree_with_a_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
