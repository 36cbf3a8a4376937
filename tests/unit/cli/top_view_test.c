#include "cli/top_view.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
topic_add(struct top_model *model, const char *name, int64_t records, int64_t end)
{
    struct top_topic *topics =
        realloc(model->topics, (size_t)(model->topic_count + 1) * sizeof *topics);

    assert_non_null(topics);
    model->topics = topics;
    topics[model->topic_count++] = (struct top_topic){.name = strdup(name),
        .partitions = 3,
        .records = records,
        .end = end,
        .rate = -1,
        .mirrored = true};
    model->partitions += 3;
    model->records += records;
}

static void
group_add(struct top_model *model, const char *name, int64_t lag)
{
    struct top_group *groups =
        realloc(model->groups, (size_t)(model->group_count + 1) * sizeof *groups);

    assert_non_null(groups);
    model->groups = groups;
    groups[model->group_count++] = (struct top_group){.name = strdup(name),
        .state = strdup("Stable"),
        .type = strdup("classic"),
        .lag = lag,
        .partitions = 3};
}

static char *
page(struct top_model *model, struct top_choice *choice, int height)
{
    struct top_grid grid = {.width = 80, .height = height};
    struct buf out;
    char *text;

    top_view_draw(&grid, model, choice);
    buf_init(&out, 1 << 16);
    top_grid_dump(&grid, &out);
    text = strdup(buf_text(&out));
    buf_fini(&out);
    top_grid_fini(&grid);
    return text;
}

static void
expect_order(const char *text, const char *first, const char *second)
{
    const char *a = strstr(text, first), *b = strstr(text, second);

    assert_non_null(a);
    assert_non_null(b);
    assert_true(a < b);
}

static void
before_the_first_answer_the_page_says_so(void **state)
{
    struct top_model model = {.rounds = 0};
    struct top_choice choice = {.page = TOP_TOPICS};
    char *text = page(&model, &choice, 12);

    (void)state;
    assert_non_null(strstr(text, "asking the cluster"));
    free(text);
}

static void
an_error_is_on_every_page(void **state)
{
    struct top_model model = {.error = "h:1: cannot connect"};

    (void)state;
    for (int i = 0; i < TOP_PAGES; i++) {
        struct top_choice choice = {.page = (enum top_page)i};
        char *text = page(&model, &choice, 12);

        assert_non_null(strstr(text, "h:1: cannot connect"));
        free(text);
    }
}

static void
lists_are_sorted_by_what_is_largest_or_by_name(void **state)
{
    struct top_model model = {.rounds = 1};
    struct top_choice choice = {.page = TOP_TOPICS};
    char *text;

    (void)state;
    topic_add(&model, "aaa", 5, 5);
    topic_add(&model, "bbb", 500, 500);
    group_add(&model, "g-one", 3);
    group_add(&model, "g-two", 30);
    text = page(&model, &choice, 12);
    expect_order(text, "bbb", "aaa");
    free(text);
    choice.by_name = true;
    text = page(&model, &choice, 12);
    expect_order(text, "aaa", "bbb");
    free(text);
    choice = (struct top_choice){.page = TOP_GROUPS};
    text = page(&model, &choice, 12);
    expect_order(text, "g-two", "g-one");
    free(text);
    choice.page = TOP_OVERVIEW;
    text = page(&model, &choice, 16);
    assert_non_null(strstr(text, "2 of them behind by 33 records"));
    free(text);
    top_model_fini(&model);
}

static void
the_selection_stays_on_the_list_and_the_list_on_the_screen(void **state)
{
    struct top_model model = {.rounds = 1};
    struct top_choice choice = {.page = TOP_TOPICS, .by_name = true, .selected = 1000};
    char name[16], *text;

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "topic-%02d", i);
        topic_add(&model, name, 1, 1);
    }
    text = page(&model, &choice, 12);
    assert_int_equal(choice.selected, 49);
    assert_non_null(strstr(text, "topic-49"));
    assert_null(strstr(text, "topic-00"));
    free(text);
    choice.selected = -7;
    text = page(&model, &choice, 12);
    assert_int_equal(choice.selected, 0);
    assert_non_null(strstr(text, "topic-00"));
    free(text);
    /* a screen of one line is drawn, too */
    free(page(&model, &choice, 1));
    top_model_fini(&model);
}

static void
the_mirror_page_shows_what_the_target_lacks(void **state)
{
    struct top_model model = {.rounds = 1};
    struct top_choice choice = {.page = TOP_MIRROR};
    char *text = page(&model, &choice, 12);

    (void)state;
    assert_non_null(strstr(text, "no target: start with --to"));
    free(text);
    snprintf(model.to, sizeof model.to, "h:2");
    topic_add(&model, "half", 200, 200);
    model.topics[0].lag = 100;
    topic_add(&model, "absent", 10, 10);
    model.topics[1].mirrored = false;
    model.target_answered = true;
    text = page(&model, &choice, 12);
    assert_non_null(strstr(text, "not mirrored"));
    expect_order(text, "half", "absent");
    assert_non_null(strstr(text, " 50 %"));
    assert_non_null(strstr(text, "behind"));
    assert_non_null(strstr(text, "not mirrored"));
    free(text);
    top_model_fini(&model);
}

static void
the_overview_counts_verdicts(void **state)
{
    struct top_model model = {.rounds = 1, .bytes = 2500000};
    struct top_choice choice = {.page = TOP_OVERVIEW};
    char *text;

    (void)state;
    topic_add(&model, "a", 5, 5);
    topic_add(&model, "b", 5, 5);
    text = page(&model, &choice, 16);
    assert_non_null(strstr(text, "coordinated  ...\n"));
    free(text);
    model.topics[0].traits.coordinated = TOP_BLOCKED;
    model.topics[1].traits.coordinated = TOP_READY;
    model.topics[0].traits.wal = model.topics[1].traits.wal = TOP_READY;
    text = page(&model, &choice, 16);
    assert_non_null(strstr(text, "coordinated  1 READY  0 CHANGES  0 UNKNOWN  1 BLOCKED"));
    assert_non_null(strstr(text, "wal          2 READY"));
    assert_non_null(strstr(text, "2 with 6 partitions, 2.5 MB"));
    free(text);
    top_model_fini(&model);
}

/* Nothing runs into the clock, and the page shown is named. */
static void
the_head_fits_into_every_width(void **state)
{
    struct top_model model = {.rounds = 1, .asked_wall_ms = 45296000};
    struct top_choice choice = {.page = TOP_TOPICS};

    (void)state;
    snprintf(model.from, sizeof model.from, "a-broker-with-a-long-name.example.com:9092");
    snprintf(model.to, sizeof model.to, "another-broker-with-a-long-name.example.com:9092");
    for (int width = 30; width < 200; width++) {
        struct top_grid grid = {.width = width, .height = 10};
        struct buf out;

        top_view_draw(&grid, &model, &choice);
        buf_init(&out, 1 << 16);
        top_grid_dump(&grid, &out);
        assert_non_null(strstr(buf_text(&out), "[Topics]"));
        assert_non_null(strstr(buf_text(&out), " 12:34:56\n"));
        buf_fini(&out);
        top_grid_fini(&grid);
    }
}

static void
a_filter_leaves_the_names_that_contain_it(void **state)
{
    struct top_model model = {.rounds = 1};
    struct top_choice choice = {.page = TOP_TOPICS, .keys = true, .selected = 1, .filter = "pay"};
    char *text;

    (void)state;
    topic_add(&model, "orders", 5, 5);
    topic_add(&model, "payments", 4, 4);
    topic_add(&model, "repayments", 3, 3);
    text = page(&model, &choice, 12);
    assert_null(strstr(text, "orders"));
    expect_order(text, " payments", "repayments");
    assert_non_null(strstr(text, "/pay  Esc all"));
    assert_int_equal(choice.selected, 1);
    free(text);
    snprintf(choice.filter, sizeof choice.filter, "none");
    text = page(&model, &choice, 12);
    assert_null(strstr(text, "pay"));
    assert_int_equal(choice.selected, 0);
    free(text);
    top_model_fini(&model);
}

static void
pages_are_found_by_their_names(void **state)
{
    (void)state;
    for (int i = 0; i < TOP_PAGES; i++) {
        enum top_page found = TOP_PAGES;

        assert_true(top_view_page_find(top_view_page_name((enum top_page)i), &found));
        assert_int_equal(found, i);
    }
    assert_false(top_view_page_find("nothing", &(enum top_page){TOP_TOPICS}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_leaves_the_names_that_contain_it),
        cmocka_unit_test(the_overview_counts_verdicts),
        cmocka_unit_test(the_head_fits_into_every_width),
        cmocka_unit_test(before_the_first_answer_the_page_says_so),
        cmocka_unit_test(an_error_is_on_every_page),
        cmocka_unit_test(lists_are_sorted_by_what_is_largest_or_by_name),
        cmocka_unit_test(the_selection_stays_on_the_list_and_the_list_on_the_screen),
        cmocka_unit_test(the_mirror_page_shows_what_the_target_lacks),
        cmocka_unit_test(pages_are_found_by_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
