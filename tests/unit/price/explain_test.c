#include "price/explain.h"

#include <math.h>

#include "lib/base/xalloc.h"
#include "tests/unit/price/price_inputs.h"

static struct inputs inputs;

static char *
explained(enum sheet_value value)
{
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    price_inputs_init(&inputs);
    if (value == SHEET_VALUES)
        explain_all(&inputs, out);
    else
        explain_value(&inputs, value, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void
numbers_are_grouped_and_never_longer_than_they_are_exact(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0, "0"}, {0.0004, "0.0004"}, {12.34567, "12.35"}, {999.96, "1000"},
        {1000, "1,000"}, {25920.4, "25,920"}, {1073741824, "1,073,741,824"},
        {-1234567, "-1,234,567"}, {1e20, "1.0000e+20"}, {NAN, "-"}, {INFINITY, "-"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[EXPLAIN_NUMBER_BYTES];

        explain_number(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void
a_formula_is_explained_down_to_the_lines_of_the_price_file(void **state)
{
    char *text = explained(SHEET_inkless_put_cost);

    (void)state;
    assert_non_null(strstr(text, "inkless_put_cost = 210.2 $/month   objects written\n"
                                 "    = 2628 * inkless_puts * s3_put_1000\n"));
    assert_non_null(strstr(text, "computed: PUTs: each broker"));
    assert_non_null(strstr(text, "prices: prices.conf:"));
    assert_non_null(strstr(text, "https://aws.amazon.com/s3/pricing/"));
    assert_non_null(strstr(text, "\ninkless_puts = 16 1/s"));
    assert_non_null(strstr(text, "\nwire_mbps = 100 MB/s"));
    assert_null(strstr(text, "\nclassic_total"));
    free(text);
}

static void
an_input_shows_what_is_made_of_it(void **state)
{
    char *text = explained(SHEET_disk_fill);

    (void)state;
    assert_non_null(strstr(text, "disk_fill"));
    assert_non_null(strstr(text, "; 0.5 to 0.75"));
    assert_non_null(strstr(text, "\nclassic_disk_gb = "));
    assert_non_null(strstr(text, "\ntiered_disk_gb = "));
    assert_null(strstr(text, "\nin_gb = "));
    free(text);
}

static void
all_means_every_formula_and_every_input(void **state)
{
    char *text = explained(SHEET_VALUES);

    (void)state;
    for (unsigned i = 0; i < SHEET_VALUES; i++) {
        const char *name = sheet_row((enum sheet_value)i)->name;
        char *want = i < SHEET_INPUTS ? xasprintf("\n    %s ", name) : xasprintf("%s = ", name);

        if (strstr(text, want) == NULL)
            fail_msg("%s is not explained", name);
        free(want);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_grouped_and_never_longer_than_they_are_exact),
        cmocka_unit_test(a_formula_is_explained_down_to_the_lines_of_the_price_file),
        cmocka_unit_test(an_input_shows_what_is_made_of_it),
        cmocka_unit_test(all_means_every_formula_and_every_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
