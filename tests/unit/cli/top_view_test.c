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
rates_are_the_ends_moved_by_the_time_passed(void **state)
{
    struct top_model before = {.asked_ms = 1000, .rounds = 4}, now = {.asked_ms = 3000};

    (void)state;
    topic_add(&before, "a", 100, 100);
    topic_add(&now, "a", 150, 200);
    topic_add(&now, "new", 10, 10);
    before.topics[0].lag = 60;
    now.topics[0].lag = 20;
    top_model_rates(&now, &before);
    assert_true(now.topics[0].rate == 50);
    assert_true(now.topics[0].mirror_rate == 70);
    assert_true(now.topics[1].rate == -1);
    assert_true(now.rate == 50);
    assert_true(now.mirror_rate == 70);
    assert_int_equal(now.rounds, 5);
    assert_int_equal(now.history_count, 1);
    top_model_fini(&before);
    top_model_fini(&now);
}

static void
the_history_keeps_the_newest(void **state)
{
    struct top_model before = {.asked_ms = 0}, now = {.asked_ms = 0};

    (void)state;
    for (int i = 1; i <= TOP_MODEL_HISTORY + 5; i++) {
        now.asked_ms = i * 1000;
        topic_add(&now, "a", 0, i * i);
        top_model_rates(&now, &before);
        top_model_move(&before, &now);
        assert_null(now.topics);
    }
    assert_int_equal(before.history_count, TOP_MODEL_HISTORY);
    /* the squares grow by 2i - 1 */
    assert_true(before.history[TOP_MODEL_HISTORY - 1] == 2 * (TOP_MODEL_HISTORY + 5) - 1);
    assert_true(before.history[0] == 2 * 6 - 1);
    top_model_fini(&before);
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
    text = page(&model, &choice, 12);
    assert_non_null(strstr(text, "##########.......... "));
    assert_non_null(strstr(text, " 50 %"));
    assert_non_null(strstr(text, "not mirrored"));
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
        cmocka_unit_test(rates_are_the_ends_moved_by_the_time_passed),
        cmocka_unit_test(the_history_keeps_the_newest),
        cmocka_unit_test(before_the_first_answer_the_page_says_so),
        cmocka_unit_test(an_error_is_on_every_page),
        cmocka_unit_test(lists_are_sorted_by_what_is_largest_or_by_name),
        cmocka_unit_test(the_selection_stays_on_the_list_and_the_list_on_the_screen),
        cmocka_unit_test(the_mirror_page_shows_what_the_target_lacks),
        cmocka_unit_test(pages_are_found_by_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
