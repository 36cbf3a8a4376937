#include "price/book.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static struct inputs inputs;

/* A book with all prices of which `changed` replaces, or follows, the line of one. */
static char *
book_with(const char *line_of, const char *changed)
{
    const char *text = book_builtin();
    const char *at = strstr(text, line_of), *end;

    assert_non_null(at);
    end = strchr(at, '\n');
    return xasprintf("%.*s%s%s", (int)(at - text), text, changed, end);
}

static enum rc
read_text(const char *text, struct err *e)
{
    inputs_init(&inputs);
    return book_read(&inputs, text, strlen(text), "my.conf", e);
}

static unsigned
line_of(const char *text, const char *what)
{
    unsigned line = 1;

    for (const char *at = text; at < strstr(text, what); at++)
        line += *at == '\n';
    return line;
}

static void
the_built_in_book_has_every_price_with_its_line_date_and_source(void **state)
{
    char want[64];
    struct err e;

    (void)state;
    assert_int_equal(read_text(book_builtin(), &e), RC_OK);
    assert_string_equal(inputs.title, "AWS us-east-1, list prices");
    for (unsigned i = SHEET_PARAMETERS; i < SHEET_INPUTS; i++) {
        assert_int_equal(inputs.entries[i].origin, INPUTS_PRICES);
        assert_true(inputs.entries[i].value > 0);
        assert_non_null(strstr(inputs.entries[i].note, ", 2026-"));
        assert_non_null(strstr(inputs.entries[i].note, "https://aws.amazon.com/"));
    }
    snprintf(want, sizeof want, "my.conf:%u, ", line_of(book_builtin(), "\nzone_gb") + 1);
    assert_int_equal(strncmp(inputs.entries[SHEET_zone_gb].note, want, strlen(want)), 0);
    assert_true(inputs.entries[SHEET_zone_gb].value == 0.01);
}

static void
a_wrong_line_is_named(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"zone_gb", "zone_gb wants a price from 0 to 1e9, not ."},
        {"zone_gb free 2026-11-22 x", "zone_gb wants a price from 0 to 1e9, not free."},
        {"zone_gb -0.01 2026-11-22 x", "zone_gb wants a price from 0 to 1e9, not -0.01."},
        {"zone_gb nan 2026-11-22 x", "zone_gb wants a price from 0 to 1e9, not nan."},
        {"zone_gb 1e10 2026-11-22 x", "zone_gb wants a price from 0 to 1e9, not 1e10."},
        {"zone_gb 0.01", "zone_gb wants a date (2026-11-22) and a source behind its price."},
        {"zone_gb 0.01 2026-11-22",
            "zone_gb wants a date (2026-11-22) and a source behind its price."},
        {"zone_gb 0.01 2026-13-22 x",
            "zone_gb wants a date (2026-11-22) and a source behind its price."},
        {"zone_gb 0.01 22.11.2026 x",
            "zone_gb wants a date (2026-11-22) and a source behind its price."},
        {"zone_gbs 0.01 2026-11-22 x", "there is no price zone_gbs. Did you mean zone_gb?"},
        {"zones 3 2026-11-22 x", "there is no price zones; --print-prices shows all."},
        {"something_else 3 2026-11-22 x",
            "there is no price something_else; --print-prices shows all."},
        {"s3_gb 0.01 2026-11-22 x", "s3_gb is there twice."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = book_with("zone_gb ", cases[i].line);
        char *want = xasprintf("my.conf:%u: %s", line_of(text, cases[i].line), cases[i].said);
        struct err e;

        assert_int_equal(read_text(text, &e), RC_CONFIG);
        /* The twin of s3_gb stands above. */
        if (strstr(cases[i].said, "twice") == NULL)
            assert_string_equal(e.text, want);
        else
            assert_non_null(strstr(e.text, cases[i].said));
        free(text);
        free(want);
    }
}

static void
a_price_that_is_missing_is_named(void **state)
{
    char *text = book_with("zone_gb ", "# zone_gb");
    struct err e;

    (void)state;
    assert_int_equal(read_text(text, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, ": zone_gb is missing (traffic to another zone"));
    assert_int_equal(read_text("", &e), RC_CONFIG);
    free(text);
}

static void
blanks_and_the_last_lines_end_do_not_matter(void **state)
{
    char *text = book_with("zone_gb ", "\t zone_gb \t 0.5  2026-01-31   a source of two words \r");
    struct err e;

    (void)state;
    text[strlen(text) - 1] = '\0';
    assert_int_equal(read_text(text, &e), RC_OK);
    assert_true(inputs.entries[SHEET_zone_gb].value == 0.5);
    assert_non_null(
        strstr(inputs.entries[SHEET_zone_gb].note, ", 2026-01-31, a source of two words"));
    free(text);
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
    char bytes[256];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    inputs_init(&inputs);
    assert_int_equal(book_read(&inputs, bytes, sizeof bytes, "my.conf", &e), RC_CONFIG);
    assert_string_equal(e.text, "my.conf is no text.");
    /* Without the zero: a name of control characters. */
    assert_int_equal(book_read(&inputs, bytes + 1, sizeof bytes - 1, "my.conf", &e), RC_CONFIG);
    assert_int_equal(book_load(&inputs, "/", &e), RC_CONFIG);
    assert_int_equal(book_load(&inputs, "/no/such/file", &e), RC_CONFIG);
}

/* A text with some bytes changed is read, or refused with a line that names the file. */
static void
whatever_stands_in_a_book_it_is_read_or_refused(void **state)
{
    static const char changes[] = {'\n', ' ', '#', '.', '-', '9', 'e', (char)0xff, '%'};
    char *text = xstrdup(book_builtin());
    size_t size = strlen(text);

    (void)state;
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < sizeof changes; k++) {
            char kept = text[i];
            struct err e;

            text[i] = changes[k];
            inputs_init(&inputs);
            if (book_read(&inputs, text, size - k, "my.conf", &e) != RC_OK)
                assert_int_equal(strncmp(e.text, "my.conf:", 8), 0);
            text[i] = kept;
        }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_book_has_every_price_with_its_line_date_and_source),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(a_price_that_is_missing_is_named),
        cmocka_unit_test(blanks_and_the_last_lines_end_do_not_matter),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(whatever_stands_in_a_book_it_is_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
