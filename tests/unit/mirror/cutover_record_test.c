/* The record of a cut-over: what it keeps, over crashes at any step, and what it believes of a
 * file. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "mirror/cutover_record.h"
#include "tests/sim/disk_cut.h"

#define NAME "cutover.json"
#define SEEDS 40

static char orders[] = "orders", payments[] = "payments", invoices[] = "invoices";
static struct selection_topic topics[] = {
    {.name = orders, .partition_count = 2}, {.name = payments, .partition_count = 1, .first = 2}};
static struct selection_partition partitions[3] = {
    {.topic = 0}, {.topic = 0, .partition = 1}, {.topic = 1}};
static struct selection selection = {
    .topics = topics, .topic_count = 2, .partitions = partitions, .partition_count = 3};

static struct disk *disk;
static struct cutover_record record;
static struct err e;

static int
start(void **state)
{
    (void)state;
    disk = disk_cut_new(1);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    cutover_record_close(&record);
    disk_free(disk);
    return 0;
}

static void
open_it(void)
{
    cutover_record_close(&record);
    assert_int_equal(cutover_record_open(&record, disk, NAME, &e), RC_OK);
}

static void
fill(enum cutover_phase phase)
{
    cutover_record_take_topics(&record, &selection);
    record.phase = phase;
    record.is_fenced = phase != CUTOVER_BACK;
    if (record.source_id == NULL) {
        record.source_id = strdup("from");
        record.target_id = strdup("to");
    }
    record.topics[1].is_opened = true;
    record.topics[0].source_ends[1] = INT64_MAX;
    record.topics[1].target_ends[0] = 7;
    cutover_record_note(&record, 1700000000001, "still", "ok", "3 partitions: \"quoted\" \xc3\xa4");
}

/* --- what it keeps -----------------------------------------------------------------------------
 */

static void
nothing_is_none(void **state)
{
    (void)state;
    open_it();
    assert_int_equal(record.phase, CUTOVER_NONE);
    assert_int_equal(record.topic_count, 0);
    cutover_record_close(&record);
    assert_int_equal(cutover_record_read(&record, disk, NAME, &e), RC_NOTFOUND);
}

static void
all_of_it_comes_back(void **state)
{
    char *patterns;

    (void)state;
    open_it();
    fill(CUTOVER_PROMOTING);
    assert_int_equal(cutover_record_save(&record, &e), RC_OK);
    open_it();
    assert_int_equal(record.phase, CUTOVER_PROMOTING);
    assert_true(record.is_fenced);
    assert_string_equal(record.source_id, "from");
    assert_string_equal(record.target_id, "to");
    assert_int_equal(record.topic_count, 2);
    assert_string_equal(record.topics[1].name, "payments");
    assert_int_equal(record.topics[0].partition_count, 2);
    assert_true(record.topics[0].source_ends[1] == INT64_MAX);
    assert_int_equal(record.topics[0].source_ends[0], -1);
    assert_int_equal(record.topics[1].target_ends[0], 7);
    assert_true(record.topics[1].is_opened && !record.topics[0].is_opened);
    assert_int_equal(record.line_count, 1);
    assert_int_equal(record.lines[0].at_ms, 1700000000001);
    assert_string_equal(record.lines[0].step, "still");
    assert_string_equal(record.lines[0].outcome, "ok");
    assert_string_equal(record.lines[0].text, "3 partitions: \"quoted\" \xc3\xa4");
    patterns = cutover_record_patterns(&record);
    assert_string_equal(patterns, "orders,payments");
    free(patterns);
}

static void
every_phase_has_a_word(void **state)
{
    (void)state;
    for (int phase = 0; phase < CUTOVER_PHASES; phase++) {
        open_it();
        fill((enum cutover_phase)phase);
        assert_int_equal(cutover_record_save(&record, &e), RC_OK);
        open_it();
        assert_int_equal(record.phase, phase);
        assert_true(strlen(cutover_record_phase_meaning(record.phase)) > 0);
    }
}

static void
it_is_of_its_topics_only(void **state)
{
    (void)state;
    open_it();
    fill(CUTOVER_BEGUN);
    assert_true(cutover_record_is_of(&record, &selection));
    topics[0].partition_count = 3;
    assert_false(cutover_record_is_of(&record, &selection));
    topics[0].partition_count = 2;
    topics[1].name = invoices;
    assert_false(cutover_record_is_of(&record, &selection));
    topics[1].name = payments;
    selection.topic_count = 1;
    assert_false(cutover_record_is_of(&record, &selection));
    selection.topic_count = 2;
}

/* --- one process, and crashes ------------------------------------------------------------------
 */

static void
one_process_holds_it(void **state)
{
    struct cutover_record other;

    (void)state;
    open_it();
    fill(CUTOVER_BEGUN);
    assert_int_equal(cutover_record_save(&record, &e), RC_OK);
    assert_int_equal(cutover_record_open(&other, disk, NAME, &e), RC_LOCKED);
    cutover_record_close(&other);
    assert_int_equal(cutover_record_read(&other, disk, NAME, &e), RC_OK);
    assert_int_equal(other.phase, CUTOVER_BEGUN);
    cutover_record_close(&other);
}

/* Stops in the middle of the n-th step of the second save; false where there are not as many. */
static bool
crash(uint64_t seed, uint64_t step, bool by_power)
{
    bool is_stopped, is_saved;

    cutover_record_close(&record);
    disk_free(disk);
    disk = disk_cut_new(seed);
    open_it();
    fill(CUTOVER_BEGUN);
    assert_int_equal(cutover_record_save(&record, &e), RC_OK);
    fill(CUTOVER_PROMOTING);
    disk_cut_stop_at(disk, step);
    is_saved = cutover_record_save(&record, &e) == RC_OK;
    is_stopped = disk_cut_is_stopped(disk);
    cutover_record_close(&record);
    if (by_power)
        disk_cut_power(disk);
    else
        disk_cut_kill(disk);
    open_it();
    assert_true(record.phase == CUTOVER_PROMOTING || (record.phase == CUTOVER_BEGUN && !is_saved));
    assert_int_equal(record.topic_count, 2);
    return is_stopped;
}

static void
a_crash_leaves_the_old_one_or_the_new_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int by_power = 0; by_power < 2; by_power++) {
            uint64_t step = 1;

            while (crash(seed, step, by_power == 1))
                step++;
            assert_true(step > 5); /* make, write, sync, rename, sync */
        }
}

static void
what_is_saved_outlives_the_power(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        cutover_record_close(&record);
        disk_free(disk);
        disk = disk_cut_new(seed);
        open_it();
        fill(CUTOVER_PROMOTED);
        assert_int_equal(cutover_record_save(&record, &e), RC_OK);
        cutover_record_close(&record);
        disk_cut_power(disk);
        open_it();
        assert_int_equal(record.phase, CUTOVER_PROMOTED);
    }
}

static void
a_failed_sync_is_no_save(void **state)
{
    (void)state;
    open_it();
    fill(CUTOVER_BEGUN);
    for (uint64_t n = 1; n <= 2; n++) {
        disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, n);
        assert_int_equal(cutover_record_save(&record, &e), RC_IO);
    }
}

/* --- what it believes --------------------------------------------------------------------------
 */

static enum rc
read_text(const char *text)
{
    struct disk_file *file;

    cutover_record_close(&record);
    assert_int_equal(disk_open(disk, NAME, DISK_WRITE | DISK_CREATE, &file, &e), RC_OK);
    assert_int_equal(disk_resize(file, 0, &e), RC_OK);
    assert_int_equal(disk_write(file, 0, text, strlen(text), &e), RC_OK);
    disk_close(file);
    return cutover_record_open(&record, disk, NAME, &e);
}

#define HEAD "{\"kdl\":\"cutover\",\"version\":1,\"phase\":\"begun\""

static void
what_is_no_record_is_refused(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "1", "{}", "null",
        "{\"kdl\":\"mirror\",\"version\":1,\"phase\":\"begun\"}",
        "{\"kdl\":\"cutover\",\"version\":2,\"phase\":\"begun\"}",
        "{\"kdl\":\"cutover\",\"version\":1,\"phase\":\"over\"}",
        "{\"kdl\":\"cutover\",\"version\":1,\"phase\":3}", "{\"kdl\":\"cutover\",\"version\":1}",
        HEAD ",\"topics\":[1]}", HEAD ",\"topics\":[{}]}", HEAD ",\"topics\":[{\"topic\":\"t\"}]}",
        HEAD ",\"topics\":[{\"topic\":\"t\",\"source_ends\":[],\"target_ends\":[]}]}",
        HEAD ",\"topics\":[{\"topic\":\"t\",\"source_ends\":[1],\"target_ends\":[]}]}",
        HEAD ",\"topics\":[{\"topic\":\"t\",\"source_ends\":[1],\"target_ends\":[1,2]}]}",
        HEAD ",\"topics\":[{\"topic\":7,\"source_ends\":[1],\"target_ends\":[1]}]}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(read_text(texts[i]), RC_CORRUPT);
}

static void
what_is_strange_is_harmless(void **state)
{
    static const char *const texts[] = {HEAD "}", HEAD ",\"topics\":7,\"log\":\"x\"}",
        HEAD ",\"log\":[1,{},{\"text\":3}],\"source\":1,\"fenced\":\"yes\"}",
        HEAD ",\"topics\":[{\"topic\":\"t\",\"source_ends\":[\"a\"],\"target_ends\":[{}]}]}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(read_text(texts[i]), RC_OK);
        assert_int_equal(record.phase, CUTOVER_BEGUN);
        assert_false(record.is_fenced);
        assert_int_equal(cutover_record_save(&record, &e), RC_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_none),
        TEST(all_of_it_comes_back),
        TEST(every_phase_has_a_word),
        TEST(it_is_of_its_topics_only),
        TEST(one_process_holds_it),
        TEST(a_crash_leaves_the_old_one_or_the_new_one),
        TEST(what_is_saved_outlives_the_power),
        TEST(a_failed_sync_is_no_save),
        TEST(what_is_no_record_is_refused),
        TEST(what_is_strange_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
