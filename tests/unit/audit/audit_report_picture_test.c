/* What moves together, drawn: every line where there are few, and a word of the rest where there
 * are many. */
#include <stdlib.h>

#include "audit/audit_report.h"
#include "tests/unit/audit/rules_rig.h"

#define NAME_BYTES 64

static struct waves waves;

/* A topic whose name tells its number; a rig's inventory keeps a copy. */
static void
topics(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof name, "topic-%02u", (unsigned)i);
        plain_topic(name, 1);
    }
}

static void
transaction(const char *text, const uint32_t *places, uint32_t count)
{
    struct wire_string id = {text, (int32_t)strlen(text)};

    inventory_add_transactional_id(&inventory, id);
    for (uint32_t i = 0; i < count; i++)
        inventory_add_footprint(
            &inventory, inventory_transactional_id(&inventory, id), places[i], AUDIT_TRACE_OPEN);
}

static char *
picture(void)
{
    struct audit_report report;
    struct err e;
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    derive();
    assert_int_equal(waves_plan(&waves, &inventory, AUDIT_REPORT_DESIGNS, NULL, 0, &e), RC_OK);
    audit_report_init(&report, &inventory, AUDIT_REPORT_DESIGNS);
    report.waves = &waves;
    audit_report_picture(&report, out);
    audit_report_fini(&report);
    waves_free(&waves);
    inventory_fini(&inventory);
    assert_int_equal(fclose(out), 0);
    return text;
}

static uint32_t
times(const char *text, const char *what)
{
    uint32_t count = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

static void
has(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no \"%s\" in %s", what, text);
}

/* Three topics, two programs: five lines; one topic beside them is no picture. */
static void
each_tie_is_a_line(void **state)
{
    char *text;

    (void)state;
    begin_inventory();
    topics(4);
    transaction("a", (const uint32_t[]){0, 1, 2}, 3);
    transaction("b", (const uint32_t[]){1, 2}, 2);
    text = picture();
    assert_int_equal(times(text, "<figure>"), 1);
    assert_int_equal(times(text, "<path"), 5);
    assert_int_equal(times(text, "<rect"), 3);
    assert_int_equal(times(text, "<circle"), 2);
    assert_null(strstr(text, "topic-03"));
    assert_null(strstr(text, " more"));
    free(text);
}

/* 50 topics and 45 programs: forty of each are drawn, and no line leads to what is not. */
static void
a_large_wave_is_drawn_in_part(void **state)
{
    uint32_t all[50];
    char *text;

    (void)state;
    begin_inventory();
    topics(50);
    for (uint32_t i = 0; i < 50; i++)
        all[i] = i;
    transaction("all", all, 50);
    for (uint32_t i = 0; i < 44; i++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof name, "program-%02u", (unsigned)i);
        transaction(name, (const uint32_t[]){0, 49}, 2);
    }
    text = picture();
    has(text, "50 topics");
    has(text, "10 topics and 5 programs more are in kdl audit -o waves");
    assert_int_equal(times(text, "<rect"), 40);
    assert_int_equal(times(text, "<circle"), 40);
    assert_int_equal(times(text, "<path"), 40 + 39);
    assert_null(strstr(text, "topic-49"));
    free(text);
}

static void
of_many_waves_the_first_are_drawn(void **state)
{
    char *text;

    (void)state;
    begin_inventory();
    topics(50);
    for (uint32_t i = 0; i < 25; i++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof name, "program-%02u", (unsigned)i);
        transaction(name, (const uint32_t[]){2 * i, 2 * i + 1}, 2);
    }
    text = picture();
    assert_int_equal(times(text, "<figure>"), 20);
    has(text, "5 waves more are in kdl audit -o waves");
    free(text);
}

/* A long name is cut between letters, and whole in its title; what means something in HTML is an
 * entity. */
static void
names_are_cut_between_letters(void **state)
{
    static const char name[] = "<b>456789012345678901234567890123456789\xC3\xA9 and more";
    char *text;

    (void)state;
    begin_inventory();
    topics(2);
    transaction(name, (const uint32_t[]){0, 1}, 2);
    text = picture();
    has(text, "&lt;b&gt;456789012345678901234567890123456789...<title>");
    has(text, "<title>&lt;b&gt;456789012345678901234567890123456789\xC3\xA9 and more</title>");
    free(text);
}

static void
without_waves_nothing_is_drawn(void **state)
{
    struct audit_report report = {.waves = NULL};
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    audit_report_picture(&report, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(size, 0);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tie_is_a_line),
        cmocka_unit_test(a_large_wave_is_drawn_in_part),
        cmocka_unit_test(of_many_waves_the_first_are_drawn),
        cmocka_unit_test(names_are_cut_between_letters),
        cmocka_unit_test(without_waves_nothing_is_drawn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
