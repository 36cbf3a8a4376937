#include "price/estimate.h"

#include <math.h>

#include "lib/base/xalloc.h"
#include "tests/unit/price/price_inputs.h"

static struct inputs inputs;
static struct estimate estimate;

static int
begin(void **state)
{
    (void)state;
    price_inputs_init(&inputs);
    return 0;
}

static char *
table(size_t width, bool utf8)
{
    struct estimate_look look = {width, utf8};
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    estimate_init(&estimate, &inputs);
    estimate_table(&estimate, &look, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* In characters of UTF-8. */
static size_t
widest_line(const char *text)
{
    size_t widest = 0, here = 0;

    for (; *text != '\0'; text++) {
        here = *text == '\n' ? 0 : here + ((*text & 0xc0) != 0x80);
        widest = here > widest ? here : widest;
    }
    return widest;
}

static void
no_line_is_wider_than_the_terminal(void **state)
{
    static const double rates[] = {1e-6, 0.05, 1, 100, 1000, 99999, 1e6};
    static const size_t widths[] = {80, 100, 200};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        for (size_t k = 0; k < ARRAY_LEN(widths); k++) {
            char *text;

            price_inputs_set(&inputs, SHEET_produce_mbps, rates[i]);
            text = table(widths[k], k % 2 == 1);
            if (widest_line(text) > widths[k])
                fail_msg("%zu columns at %g MB/s:\n%s", widest_line(text), rates[i], text);
            free(text);
        }
}

static void
plain_ascii_where_the_terminal_has_nothing_else(void **state)
{
    char *text = table(80, false);

    (void)state;
    for (const char *at = text; *at != '\0'; at++)
        assert_true((unsigned char)*at < 0x80);
    free(text);
}

static void
columns_add_up_to_the_totals(void **state)
{
    (void)state;
    estimate_init(&estimate, &inputs);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        double sum = 0;

        for (unsigned c = 0; c < SHEET_COLUMNS; c++)
            sum += estimate.costs[d][c];
        assert_true(fabs(sum - estimate.risks[d].value) < 1e-6);
    }
}

static void
the_best_of_old_and_new_are_the_cheapest(void **state)
{
    (void)state;
    estimate_init(&estimate, &inputs);
    assert_int_equal(estimate.old_best, SHEET_DESIGN_tiered);
    assert_false(estimate_is_diskless(estimate.old_best));
    assert_true(estimate_is_diskless(estimate.new_best));
    price_inputs_set(&inputs, SHEET_s3_gb, 100);
    estimate_init(&estimate, &inputs);
    assert_int_equal(estimate.old_best, SHEET_DESIGN_classic);
}

static void
a_move_that_saves_nothing_is_never_paid_back(void **state)
{
    char *text;

    (void)state;
    price_inputs_set(&inputs, SHEET_produce_mbps, 0.1);
    text = table(200, false);
    assert_non_null(strstr(text, "never paid back"));
    free(text);
    price_inputs_set(&inputs, SHEET_produce_mbps, 100);
    text = table(200, false);
    assert_non_null(strstr(text, "paid back in "));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_line_is_wider_than_the_terminal),
        TEST(plain_ascii_where_the_terminal_has_nothing_else),
        TEST(columns_add_up_to_the_totals),
        TEST(the_best_of_old_and_new_are_the_cheapest),
        TEST(a_move_that_saves_nothing_is_never_paid_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
