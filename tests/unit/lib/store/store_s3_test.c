/* The battery against a server in this process, then servers that fail or lie. With S3_TEST_STORE
 * (an s3:// URL, keys in the environment) the battery runs against that server instead. */
#include "lib/store/store_s3.h"

#include <pthread.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "tests/unit/lib/store/s3_fake.h"
#include "tests/unit/lib/store/store_battery.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

#define FOLDER "cluster"
#define XML "<?xml version=\"1.0\"?>"
#define CLOSE "connection: close\r\n\r\n"

static struct s3_fake *fake;
static struct env env;

static struct store *
store_open(const char *text, int64_t deadline_ms)
{
    struct s3_url url;
    struct store *store = NULL;
    struct store_s3_options options = {&url, FOLDER, &env, deadline_ms};
    struct err e = {0};

    if (s3_url_parse(text, &url, &e) != RC_OK || store_s3_open(&options, &store, &e) != RC_OK)
        fail_msg("%s", e.text);
    return store;
}

static struct store *
fake_open_with(const char *parameters, int64_t deadline_ms)
{
    char text[160];

    snprintf(text, sizeof text,
        "s3://" S3_FAKE_BUCKET "/some/prefix?endpoint=http://127.0.0.1:%d%s", s3_fake_port(fake),
        parameters);
    return store_open(text, deadline_ms);
}

static struct store *
fake_open(int64_t deadline_ms)
{
    return fake_open_with("", deadline_ms);
}

static int
setup(void **state)
{
    env_init_real(&env);
    setenv("AWS_ACCESS_KEY_ID", "ID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "never-told", 1);
    fake = s3_fake_new();
    *state = fake_open(1500);
    log_set_fd(-1);
    return 0;
}

static int
teardown(void **state)
{
    store_free(*state);
    s3_fake_free(fake);
    log_set_fd(STDERR_FILENO);
    return 0;
}

/* Each test gets a prefix of its own on a server that stays. */
static int
setup_battery(void **state)
{
    const char *text = getenv("S3_TEST_STORE"), *query;
    char own[512], hex[33];
    uint8_t dice[16];

    if (text == NULL)
        return setup(state);
    env_init_real(&env);
    digest_random(dice, sizeof dice);
    digest_hex(dice, sizeof dice, hex);
    query = strchrnul(text, '?');
    snprintf(own, sizeof own, "%.*s/%s%s", (int)(query - text), text, hex, query);
    fake = NULL;
    *state = store_open(own, STORE_S3_DEADLINE_MS);
    log_set_fd(-1);
    return 0;
}

static void
count_key(void *arg, const char *key)
{
    (void)key;
    ++*(size_t *)arg;
}

static void
put(struct store *store, const char *key, size_t size)
{
    uint8_t *data = xcalloc(size + 1, 1);

    assert_int_equal(store_put(store, key, data, size, NULL), RC_OK);
    free(data);
}

/* The bytes are not read for it: the server is told what the caller says. */
static void
a_checksum_that_the_caller_knows_is_sent(void **state)
{
    const struct pieces_item item = {(const uint8_t *)"123456789", 9};
    struct pieces pieces = pieces_of(&item, 1);
    struct err e;

    pieces.has_crc32c = true;
    pieces.crc32c = 0xe3069283;
    assert_int_equal(store_put_pieces(*state, "right", &pieces, NULL), RC_OK);
    pieces.crc32c++;
    assert_int_not_equal(store_put_pieces(*state, "wrong", &pieces, &e), RC_OK);
}

static void
lists_go_on_over_pages(void **state)
{
    char key[32];
    size_t count = 0;

    s3_fake_page(fake, 7);
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k.%d", i);
        put(*state, key, 1);
    }
    assert_int_equal(store_list(*state, count_key, &count, NULL), RC_OK);
    assert_int_equal(count, 50);
    assert_int_equal(s3_fake_requests(fake, STORE_LIST), 8);
}

static void
many_are_removed_with_one_request(void **state)
{
    char names[200][16];
    const char *keys[200];
    bool removed[200];

    for (size_t i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], "key-%zu", i);
        keys[i] = names[i];
        if (i % 3 != 0)
            put(*state, names[i], 1);
    }
    assert_int_equal(store_remove_many(*state, keys, 200, removed, NULL), RC_OK);
    for (size_t i = 0; i < 200; i++)
        assert_true(removed[i]);
    assert_int_equal(s3_fake_requests(fake, STORE_DELETE), 1);
}

static void
what_the_server_does_not_say_to_be_gone_is_not(void **state)
{
    static const struct s3_fake_fault some = {
        .text =
            "HTTP/1.1 200 OK\r\n" CLOSE XML
            "<DeleteResult><Deleted><Key>some/prefix/cluster/b</Key></Deleted>"
            "<Deleted><Key>other/a</Key></Deleted><Deleted><Key>some/prefix/cluster/</Key>"
            "</Deleted><Error><Key>some/prefix/cluster/c</Key><Code>InternalError</Code></Error>"
            "</DeleteResult>"};
    static const char *const keys[] = {"a", "b", "c"};
    bool removed[3];
    struct err e;

    s3_fake_script(fake, &some, 1);
    assert_int_equal(store_remove_many(*state, keys, 3, removed, &e), RC_REMOTE);
    assert_false(removed[0]);
    assert_true(removed[1]);
    assert_false(removed[2]);
    assert_non_null(strstr(e.text, "InternalError"));
}

/* Every request gets the same, so the call ends at its deadline, and says why. */
static void
script_always(const char *text)
{
    static struct s3_fake_fault faults[200];

    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        faults[i] = (struct s3_fake_fault){.text = text};
    s3_fake_script(fake, faults, ARRAY_LEN(faults));
}

/* What passes is tried again inside the call. */
static void
trouble_that_passes_is_not_noticed(void **state)
{
    static const struct s3_fake_fault faults[] = {
        {.text = "HTTP/1.1 500 x\r\n" CLOSE XML "<Error><Code>InternalError</Code></Error>"},
        {.text = ""}, {.text = "HTTP/1.1 503 x\r\n" CLOSE "not <xml"},
        {.text = "HTTP/1.1 200 x\r\n" CLOSE XML "<Broken>"}};
    size_t count = 0;
    char got[3];

    store_free(*state);
    *state = fake_open(20000);
    s3_fake_script(fake, faults, 2);
    assert_int_equal(store_put(*state, "a", "abc", 3, NULL), RC_OK);
    assert_int_equal(s3_fake_requests(fake, STORE_PUT), 3);
    s3_fake_script(fake, faults, 3);
    assert_int_equal(store_get(*state, "a", 0, got, 3, NULL), RC_OK);
    assert_memory_equal(got, "abc", 3);
    s3_fake_script(fake, faults + 3, 1);
    assert_int_equal(store_list(*state, count_key, &count, NULL), RC_OK);
    assert_int_equal(count, 1);
}

/* Only what is long is left out of signatures, and the server holds it against its CRC-32C then. */
static void
objects_are_signed_unless_the_url_says_otherwise(void **state)
{
    const char *key = "a";
    char got[3];
    bool removed;

    assert_int_equal(store_put(*state, "a", "abc", 3, NULL), RC_OK);
    assert_int_equal(s3_fake_unsigned(fake), 0);
    store_free(*state);
    *state = fake_open_with("&payload=unsigned", 1500);
    assert_int_equal(store_put(*state, "a", "abc", 3, NULL), RC_OK);
    assert_int_equal(s3_fake_unsigned(fake), 1);
    assert_int_equal(store_get(*state, "a", 0, got, 3, NULL), RC_OK);
    assert_memory_equal(got, "abc", 3);
    assert_int_equal(store_remove_many(*state, &key, 1, &removed, NULL), RC_OK);
    assert_int_equal(s3_fake_unsigned(fake), 1);
}

static void
an_answer_that_got_lost_does_no_harm(void **state)
{
    static const struct s3_fake_fault lost[] = {{.text = "", .is_done = true}};
    char got[3];

    s3_fake_script(fake, lost, 1);
    assert_int_equal(store_put(*state, "a", "abc", 3, NULL), RC_OK);
    assert_int_equal(store_get(*state, "a", 0, got, 3, NULL), RC_OK);
    s3_fake_script(fake, lost, 1);
    assert_int_equal(store_remove(*state, "a", NULL), RC_OK);
    assert_int_equal(s3_fake_requests(fake, STORE_DELETE), 2);
}

static void
a_server_that_is_away_is_told_once_and_comes_back(void **state)
{
    const char *told;
    struct err e;

    script_always(
        "HTTP/1.1 403 x\r\n" CLOSE XML
        "<Error><Code>InvalidAccessKeyId</Code><Message>no\r\nsuch key</Message></Error>");
    log_capture_begin();
    assert_int_equal(store_put(*state, "a", "abc", 3, &e), RC_TIMEOUT);
    assert_non_null(strstr(e.text, "InvalidAccessKeyId"));
    assert_non_null(strstr(e.text, "AWS_ACCESS_KEY_ID"));
    assert_null(strstr(e.text, "never-told"));
    assert_int_equal(store_put(*state, "a", "abc", 3, &e), RC_TIMEOUT);
    s3_fake_script(fake, NULL, 0);
    assert_int_equal(store_put(*state, "a", "abc", 3, &e), RC_OK);
    told = log_capture_end();
    assert_int_equal(log_capture_count(told, "STORE-AWAY"), 1);
    assert_int_equal(log_capture_count(told, "STORE-BACK"), 1);
    assert_int_equal(log_capture_count(told, "never-told"), 0);
}

static void
what_may_be_read_and_not_written_is_not_back(void **state)
{
    const char *told;
    char byte;

    log_capture_begin();
    for (int i = 0; i < 2; i++) {
        script_always("HTTP/1.1 403 x\r\n" CLOSE XML "<Error><Code>AccessDenied</Code></Error>");
        assert_int_equal(store_put(*state, "a", "abc", 3, NULL), RC_TIMEOUT);
        s3_fake_script(fake, NULL, 0);
        assert_int_equal(store_get(*state, "a", 0, &byte, 1, NULL), RC_NOTFOUND);
    }
    told = log_capture_end();
    assert_int_equal(log_capture_count(told, "STORE-AWAY"), 1);
    assert_int_equal(log_capture_count(told, "STORE-BACK"), 0);
}

static void
each_trouble_says_what_to_do(void **state)
{
    static const char *const troubles[][2] = {
        {"HTTP/1.1 404 x\r\n" CLOSE "<Error><Code>NoSuchBucket</Code></Error>", "make the bucket"},
        {"HTTP/1.1 400 x\r\n" CLOSE "<Error><Code>AuthorizationHeaderMalformed</Code></Error>",
            "region"},
        {"HTTP/1.1 403 x\r\n" CLOSE "<Error><Code>RequestTimeTooSkewed</Code></Error>", "clock"},
        {"HTTP/1.1 403 x\r\n" CLOSE "<Error><Code>SignatureDoesNotMatch</Code></Error>",
            "AWS_SECRET_ACCESS_KEY"},
        {"HTTP/1.1 404 x\r\n" CLOSE "<html>", "404"}, {"HTTP/1.1 302 x\r\n" CLOSE "", "302"}};
    struct store *quick = fake_open(450);
    struct err e;
    char byte;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
        struct s3_fake_fault fault = {.text = troubles[i][0]};

        s3_fake_script(fake, &fault, 1);
        assert_int_equal(store_get(quick, "a", 0, &byte, 1, &e), RC_TIMEOUT);
        if (strstr(e.text, troubles[i][1]) == NULL)
            fail_msg("%s", e.text);
    }
    store_free(quick);
}

static void
an_answer_that_is_no_range_is_none(void **state)
{
    struct store *quick = fake_open(400);
    struct err e;
    char got[3];

    (void)state;
    script_always("HTTP/1.1 200 x\r\n" CLOSE "abc");
    assert_int_equal(store_get(quick, "a", 0, got, 3, &e), RC_TIMEOUT);
    assert_non_null(strstr(e.text, "a range was asked for, and 200 answered"));
    script_always("HTTP/1.1 206 x\r\n" CLOSE "abcd");
    assert_int_equal(store_get(quick, "a", 0, got, 3, &e), RC_TIMEOUT);
    assert_non_null(strstr(e.text, "larger than it may be"));
    store_free(quick);
}

/* --- lists of a hostile server ---------------------------------------------------------------- */

static void
keys_that_are_none_are_left_out_of_lists(void **state)
{
    static const struct s3_fake_fault strange = {
        .text = "HTTP/1.1 200 x\r\n" CLOSE
                "<ListBucketResult><Contents><Key>some/prefix/cluster/good</Key></Contents>"
                "<Contents><Key>some/prefix/cluster/../bad</Key></Contents>"
                "<Contents><Key>some/prefix/cluster/</Key></Contents>"
                "<Contents><Key>elsewhere</Key></Contents></ListBucketResult>"};
    size_t count = 0;

    s3_fake_script(fake, &strange, 1);
    assert_int_equal(store_list(*state, count_key, &count, NULL), RC_OK);
    assert_int_equal(count, 1);
}

static void
lists_that_do_not_say_where_they_go_on_end(void **state)
{
    struct store *quick = fake_open(400);
    size_t count = 0;
    struct err e;

    (void)state;
    script_always("HTTP/1.1 200 x\r\n" CLOSE
                  "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
    assert_int_equal(store_list(quick, count_key, &count, &e), RC_TIMEOUT);
    assert_non_null(strstr(e.text, "does not say where"));
    assert_int_equal(count, 0);
    store_free(quick);
}

/* --- threads, counts, ends -------------------------------------------------------------------- */

struct thread {
    pthread_t thread;
    struct store *store;
    int number;
    int failures;
};

static void *
use_store(void *arg)
{
    struct thread *t = arg;
    char key[32], data[64], got[64];

    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, "thread-%d-%d", t->number, i);
        memset(data, 'a' + i % 26, sizeof data);
        t->failures += store_put(t->store, key, data, sizeof data, NULL) != RC_OK ||
                       store_get(t->store, key, 0, got, sizeof got, NULL) != RC_OK ||
                       memcmp(got, data, sizeof got) != 0 ||
                       (i % 2 == 0 && store_remove(t->store, key, NULL) != RC_OK);
    }
    return NULL;
}

static void
threads_may_use_one_store_at_once_and_counts_are_the_servers(void **state)
{
    static const struct s3_fake_fault failure = {.text = "HTTP/1.1 500 x\r\n" CLOSE};
    struct thread threads[4];
    struct store *store = *state;

    s3_fake_script(fake, &failure, 1);
    for (int i = 0; i < 4; i++) {
        threads[i] = (struct thread){.store = store, .number = i};
        assert_int_equal(pthread_create(&threads[i].thread, NULL, use_store, &threads[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i].thread, NULL);
        assert_int_equal(threads[i].failures, 0);
    }
    for (enum store_kind kind = 0; kind < STORE_KINDS; kind++)
        assert_int_equal(store->requests[kind], s3_fake_requests(fake, kind));
    assert_int_equal(store->requests[STORE_PUT], 121);
    assert_int_equal(store->failures, 1);
    assert_int_equal(store->bytes[STORE_GET], s3_fake_bytes(fake, STORE_GET));
    assert_int_equal(s3_fake_bytes(fake, STORE_PUT), 120 * 64);
    assert_in_range(store->bytes[STORE_PUT], 120 * 64, 121 * 64);
}

static void *
put_for_ever(void *arg)
{
    struct thread *t = arg;

    t->failures = (int)store_put(t->store, "a", "abc", 3, NULL);
    return NULL;
}

static void
cancel_ends_calls(void **state)
{
    static const struct s3_fake_fault hangs = {.text = "", .hangs = true};
    struct store *store = fake_open(600000);
    struct thread t = {.store = store};

    (void)state;
    s3_fake_script(fake, &hangs, 1);
    assert_int_equal(pthread_create(&t.thread, NULL, put_for_ever, &t), 0);
    while (s3_fake_requests(fake, STORE_PUT) == 0)
        sched_yield();
    store_cancel(store);
    pthread_join(t.thread, NULL);
    assert_int_equal(t.failures, RC_CANCELED);
    assert_int_equal(store_remove(store, "a", NULL), RC_CANCELED);
    store_free(store);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest battery[] = {STORE_BATTERY(setup_battery, teardown)};
    const struct CMUnitTest tests[] = {
        STORE_BATTERY(setup_battery, teardown),
        SERVER_TEST(a_checksum_that_the_caller_knows_is_sent),
        SERVER_TEST(lists_go_on_over_pages),
        SERVER_TEST(many_are_removed_with_one_request),
        SERVER_TEST(what_the_server_does_not_say_to_be_gone_is_not),
        SERVER_TEST(trouble_that_passes_is_not_noticed),
        SERVER_TEST(objects_are_signed_unless_the_url_says_otherwise),
        SERVER_TEST(an_answer_that_got_lost_does_no_harm),
        SERVER_TEST(a_server_that_is_away_is_told_once_and_comes_back),
        SERVER_TEST(what_may_be_read_and_not_written_is_not_back),
        SERVER_TEST(each_trouble_says_what_to_do),
        SERVER_TEST(an_answer_that_is_no_range_is_none),
        SERVER_TEST(keys_that_are_none_are_left_out_of_lists),
        SERVER_TEST(lists_that_do_not_say_where_they_go_on_end),
        SERVER_TEST(threads_may_use_one_store_at_once_and_counts_are_the_servers),
        SERVER_TEST(cancel_ends_calls),
    };

    return getenv("S3_TEST_STORE") != NULL ? cmocka_run_group_tests(battery, NULL, NULL)
                                           : cmocka_run_group_tests(tests, NULL, NULL);
}
