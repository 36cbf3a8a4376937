#include "cli/top_grid.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static char *
dump(const struct top_grid *grid)
{
    struct buf out;
    char *text;

    buf_init(&out, 1 << 16);
    top_grid_dump(grid, &out);
    text = strdup(buf_text(&out));
    buf_fini(&out);
    return text;
}

static void
expect_dump(const struct top_grid *grid, const char *want)
{
    char *text = dump(grid);

    assert_string_equal(text, want);
    free(text);
}

static void
text_outside_of_the_rectangle_is_cut(void **state)
{
    struct top_grid grid = {.width = 0};

    (void)state;
    top_grid_resize(&grid, 6, 3);
    top_grid_text(&grid, 4, 0, TOP_PLAIN, "abcdef");
    top_grid_text(&grid, -2, 1, TOP_PLAIN, "abcdef");
    top_grid_text(&grid, 0, 3, TOP_PLAIN, "below");
    top_grid_text(&grid, 0, -1, TOP_PLAIN, "above");
    expect_dump(&grid, "    ab\ncdef\n");
    top_grid_fini(&grid);
}

static void
a_cell_holds_one_character_of_utf8_and_never_a_control(void **state)
{
    struct top_grid grid = {.width = 0};

    (void)state;
    top_grid_resize(&grid, 12, 1);
    assert_int_equal(top_grid_text(&grid, 0, 0, TOP_GOOD, "a\xe2\x96\x88z"), 3);
    assert_string_equal(grid.cells[1].text, "\xe2\x96\x88");
    assert_int_equal(grid.cells[1].role, TOP_GOOD);
    top_grid_text(&grid, 3, 0, TOP_PLAIN, "\x1b[2J\x7f\xff");
    expect_dump(&grid, "a\xe2\x96\x88z?[2J??\n");
    top_grid_fini(&grid);
}

static void
text_that_ends_within_a_character_ends_there(void **state)
{
    struct top_grid grid = {.width = 0};

    (void)state;
    top_grid_resize(&grid, 4, 1);
    top_grid_text(&grid, 0, 0, TOP_PLAIN, "a\xe2\x96");
    assert_string_equal(grid.cells[0].text, "a");
    assert_string_equal(grid.cells[3].text, "");
    top_grid_fini(&grid);
}

static void
a_long_name_is_cut_in_the_middle(void **state)
{
    struct top_grid grid = {.width = 0};

    (void)state;
    top_grid_resize(&grid, 12, 2);
    top_grid_name(&grid, 0, 0, 7, TOP_PLAIN, "orders-eu-1");
    top_grid_name(&grid, 0, 1, 7, TOP_PLAIN, "orders1");
    expect_dump(&grid, "ord~u-1\norders1\n");
    top_grid_fini(&grid);
}

static void
a_row_gets_a_role_and_a_new_size_is_empty(void **state)
{
    struct top_grid grid = {.width = 0};

    (void)state;
    top_grid_resize(&grid, 3, 2);
    top_grid_role(&grid, 1, TOP_SELECTED);
    top_grid_role(&grid, 2, TOP_SELECTED);
    assert_int_equal(grid.cells[2].role, TOP_PLAIN);
    assert_int_equal(grid.cells[5].role, TOP_SELECTED);
    top_grid_resize(&grid, 5, 4);
    assert_int_equal(grid.cells[5].role, TOP_PLAIN);
    expect_dump(&grid, "");
    top_grid_fini(&grid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_outside_of_the_rectangle_is_cut),
        cmocka_unit_test(a_cell_holds_one_character_of_utf8_and_never_a_control),
        cmocka_unit_test(text_that_ends_within_a_character_ends_there),
        cmocka_unit_test(a_long_name_is_cut_in_the_middle),
        cmocka_unit_test(a_row_gets_a_role_and_a_new_size_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
