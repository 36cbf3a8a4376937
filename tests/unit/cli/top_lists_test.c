#include "cli/top_lists.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define LONG_NAME "a-topic-whose-name-is-longer-than-any-column-will-ever-be"

static struct top_topic topics[2];

static struct top_model
model_of_two(void)
{
    struct top_model model = {.rounds = 1, .topics = topics, .topic_count = 2};

    topics[0] = (struct top_topic){.name = (char *)(uintptr_t)LONG_NAME,
        .partitions = 3,
        .records = 123456789,
        .rate = 1234,
        .size = {.bytes = INT64_C(412000000000)},
        .byte_rate = 31500000,
        .traits = {TOP_YES, TOP_NO, TOP_UNKNOWN, TOP_YES, TOP_BLOCKED, TOP_READY}};
    topics[1] = (struct top_topic){.name = (char *)(uintptr_t) "b",
        .partitions = 1,
        .rate = -1,
        .size = {.bytes = -1},
        .byte_rate = -1};
    return model;
}

/* The lines of a list on a grid of some width. */
static char *
lines(int width, enum top_list list, const struct top_model *model, bool utf8)
{
    struct top_grid grid = {.width = 0};
    struct top_choice choice = {.utf8 = utf8};
    struct buf out;
    char *text;

    top_grid_resize(&grid, width, 8);
    top_lists_draw(&grid, 0, list, model, &choice);
    buf_init(&out, 1 << 16);
    top_grid_dump(&grid, &out);
    text = strdup(buf_text(&out));
    buf_fini(&out);
    top_grid_fini(&grid);
    return text;
}

static void
a_wide_grid_shows_everything(void **state)
{
    struct top_model model = model_of_two();
    char *text = lines(180, TOP_LIST_TOPICS, &model, false);

    (void)state;
    for (const char **title = (const char *[]){"PARTS", "SIZE", "RECORDS", "IN/s", "BYTES/s", "TXN",
             "COMPACT", "STREAMS", "IDEMPOTENT", "COORDINATED", "WAL", LONG_NAME, "412 GB", "123 M",
             "1.2 k", "31.5 MB", NULL};
         *title != NULL; title++)
        assert_non_null(strstr(text, *title));
    free(text);
}

static void
a_grid_of_80_columns_shows_size_rate_traits_and_the_verdict(void **state)
{
    struct top_model model = model_of_two();
    char *text = lines(80, TOP_LIST_TOPICS, &model, false);

    (void)state;
    assert_string_equal(text,
        "  TOPIC                SIZE    IN/s  BYTES/s  TXN  COMPACT  STREAMS  COORDINATED\n"
        "  a-topic-~ever-be   412 GB   1.2 k  31.5 MB  yes  no       ?        BLOCKED\n"
        "  b                       -       -        -  ...  ...      ...      ...\n");
    free(text);
}

/* Whatever the width: a number stands whole or not at all. */
static void
numbers_are_never_cut(void **state)
{
    struct top_model model = model_of_two();

    (void)state;
    for (int width = 20; width < 200; width++) {
        char *text = lines(width, TOP_LIST_TOPICS, &model, true);

        assert_int_equal(strstr(text, "SIZE") != NULL, strstr(text, "412 GB") != NULL);
        assert_int_equal(strstr(text, "RECORDS") != NULL, strstr(text, "123 M") != NULL);
        assert_int_equal(strstr(text, "COORDINATED") != NULL, strstr(text, "BLOCKED") != NULL);
        free(text);
    }
}

static void
what_nobody_has_looked_at_is_pending_and_not_no(void **state)
{
    struct top_model model = model_of_two();
    char *text = lines(120, TOP_LIST_TOPICS, &model, true);

    (void)state;
    assert_non_null(strstr(text, "…"));
    assert_non_null(strstr(text, "?"));
    free(text);
}

static void
mirror_line_expect(const struct top_topic *topic, bool answered, const char *want)
{
    struct top_model model = {.rounds = 2, .topic_count = 1, .target_answered = answered};
    struct top_topic one = *topic;
    char *text;

    one.name = (char *)(uintptr_t) "t";
    model.topics = &one;
    text = lines(120, TOP_LIST_MIRROR, &model, false);
    assert_non_null(strstr(text, "\n"));
    assert_string_equal(strstr(text, "\n") + 1, want);
    free(text);
}

static void
a_mirror_shows_bytes_lag_time_to_go_and_state(void **state)
{
    struct top_topic topic = {.records = 1000,
        .rate = 0,
        .mirrored = true,
        .lag = 290,
        .size = {.bytes = 412000},
        .target_size = {.bytes = 292000},
        .mirror_rate = 10,
        .mirror_byte_rate = 31100,
        .eta_s = 29};

    (void)state;
    mirror_line_expect(&topic, true,
        "  t                 ########....   71 %   292 kB   412 kB   31.1 kB     290       29 s  "
        "back-fill\n");
    topic.mirror_bytes_estimated = true;
    topic.mirror_rate = 0;
    topic.eta_s = -1;
    mirror_line_expect(&topic, true,
        "  t                 ########....   71 %   292 kB   412 kB  ~31.1 kB     290          -  "
        "nothing comes\n");
    topic.lag = 1;
    topic.rate = -1;
    mirror_line_expect(&topic, true,
        "  t                 ###########.   99 %   292 kB   412 kB  ~31.1 kB       1          -  "
        "behind\n");
    topic.lag = 0;
    mirror_line_expect(&topic, true,
        "  t                 ############  100 %   292 kB   412 kB  ~31.1 kB       0             "
        "live\n");
    mirror_line_expect(&topic, false,
        "  t                                       292 kB   412 kB  ~31.1 kB       0             "
        "?\n");
    topic.mirrored = false;
    mirror_line_expect(&topic, true,
        "  t                                                412 kB                               "
        "not mirrored\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_grid_shows_everything),
        cmocka_unit_test(a_grid_of_80_columns_shows_size_rate_traits_and_the_verdict),
        cmocka_unit_test(numbers_are_never_cut),
        cmocka_unit_test(what_nobody_has_looked_at_is_pending_and_not_no),
        cmocka_unit_test(a_mirror_shows_bytes_lag_time_to_go_and_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
