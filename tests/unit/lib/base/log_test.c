#include "lib/base/log.h"

#include <ctype.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

static void
a_line_has_time_level_id_and_text(void **state)
{
    const char *text;
    char rest[100];
    int year, month, day, hour, minute, second, ms;

    (void)state;
    log_capture_begin();
    log_warn("TEST-ID", "conn %u: %d bytes", 7u, -5);
    text = log_capture_end();
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %99[^\n]", &year, &month, &day,
                         &hour, &minute, &second, &ms, rest),
        8);
    assert_string_equal(rest, "warn TEST-ID conn 7: -5 bytes");
    assert_int_equal(log_capture_count(text, "\n"), 1);
}

static void
what_is_less_urgent_than_the_level_is_hidden(void **state)
{
    static const struct {
        enum log_level level;
        size_t lines;
    } cases[] = {{LOG_ERROR, 1}, {LOG_WARN, 2}, {LOG_NOTICE, 3}, {LOG_INFO, 4}, {LOG_DEBUG, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        log_set_level(cases[i].level);
        log_capture_begin();
        log_error("T", "1");
        log_warn("T", "2");
        log_notice("T", "3");
        log_info("T", "4");
        log_debug("T", "5");
        assert_int_equal(log_capture_count(log_capture_end(), " T "), cases[i].lines);
    }
    log_set_level(LOG_NOTICE);
}

static void
a_peer_cannot_forge_lines_or_drive_a_terminal(void **state)
{
    char text[200];

    (void)state;
    log_capture_begin();
    log_error("T", "a\nb\rc\x1b[31md\x7f"
                   "e\tf\xc2\x9bg\xc2\x85h");
    snprintf(text, sizeof text, "%s", log_capture_end());
    assert_int_equal(log_capture_count(text, "\n"), 1);
    assert_non_null(strstr(text, "error T a b c [31md e f  g  h\n"));
}

static void
letters_of_other_languages_stay(void **state)
{
    (void)state;
    log_capture_begin();
    log_error("T", "\xc3\xa4\xc2\xa0\xe2\x82\xac");
    assert_non_null(strstr(log_capture_end(), " \xc3\xa4\xc2\xa0\xe2\x82\xac\n"));
}

static void
a_long_text_is_cut_into_one_line(void **state)
{
    char longer[5000];
    const char *text;

    (void)state;
    memset(longer, 'l', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    log_capture_begin();
    log_error("T", "%s", longer);
    log_error("T", "next");
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, "\n"), 2);
    assert_in_range(strlen(text), 1000, 2200);
    assert_non_null(strstr(text, "T next\n"));
}

static void
without_a_descriptor_nothing_is_written(void **state)
{
    (void)state;
    log_set_fd(-1);
    log_error("T", "nowhere");
    log_set_fd(STDERR_FILENO);
}

static void *
write_lines(void *arg)
{
    for (int i = 0; i < 100; i++)
        log_error("T", "line of a thread that does not mix with others, number %d", i);
    return arg;
}

static void
lines_of_threads_do_not_mix(void **state)
{
    pthread_t threads[4];
    const char *text;
    size_t whole = 0;

    (void)state;
    log_capture_begin();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    text = log_capture_end();
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
        whole += isdigit((unsigned char)at[0]) && strncmp(at + 24, " error T line of", 16) == 0;
    assert_int_equal(whole, 400);
    assert_int_equal(log_capture_count(text, "\n"), 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_id_and_text),
        cmocka_unit_test(what_is_less_urgent_than_the_level_is_hidden),
        cmocka_unit_test(a_peer_cannot_forge_lines_or_drive_a_terminal),
        cmocka_unit_test(letters_of_other_languages_stay),
        cmocka_unit_test(a_long_text_is_cut_into_one_line),
        cmocka_unit_test(without_a_descriptor_nothing_is_written),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
