/* Only names that every machine knows: numbers, localhost, and one that is reserved never to exist.
 */
#include "tests/unit/unit.h"

#include "lib/net/resolve.h"

/* A look-up's thread is detached, and glibc frees what its resolver holds for the thread as the
 * very last: where the process ends in that moment it would count as leaked. */
const char *__lsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier) */
const char *
__lsan_default_suppressions(void) /* NOLINT(bugprone-reserved-identifier) */
{
    return "leak:__res_context_send\n";
}

static struct loop *loop;

struct answer {
    bool called;
    enum rc rc;
    size_t count;
    char first[RESOLVE_TEXT_MAX];
    struct err err;
};

static int
start(void **state)
{
    (void)state;
    return loop_new(&loop, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void
on_answer(void *arg, enum rc rc, const struct resolve_address *addresses, size_t count,
    const struct err *e)
{
    struct answer *answer = arg;

    assert_false(answer->called);
    answer->called = true;
    answer->rc = rc;
    answer->count = count;
    answer->err = *e;
    if (rc == RC_OK)
        resolve_address_text(&addresses[0], answer->first);
}

static struct answer
ask(const char *host, uint16_t port)
{
    struct answer answer = {.called = false};

    assert_non_null(resolve_start(loop, host, port, on_answer, &answer));
    assert_false(answer.called);
    while (!answer.called)
        loop_step(loop, 1000000);
    return answer;
}

static void
numbers_are_addresses(void **state)
{
    (void)state;
    assert_string_equal(ask("127.0.0.1", 9092).first, "127.0.0.1:9092");
    assert_string_equal(ask("::1", 1).first, "[::1]:1");
    assert_string_equal(ask("[::1]", 65535).first, "[::1]:65535");
}

static void
names_are_looked_up_beside_the_loop(void **state)
{
    struct answer answer = ask("localhost", 80);

    (void)state;
    assert_int_equal(answer.rc, RC_OK);
    assert_true(answer.count >= 1 && answer.count <= RESOLVE_ADDRESSES_MAX);
}

static void
an_unknown_name_is_an_error_with_that_name(void **state)
{
    struct answer answer = ask("no-such-host.invalid", 80);

    (void)state;
    assert_int_equal(answer.rc, RC_IO);
    assert_int_equal(strncmp(answer.err.text, "host no-such-host.invalid is unknown", 36), 0);
}

static void
a_canceled_look_up_never_calls_back(void **state)
{
    struct answer answer = {.called = false}, last;

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct resolve *by_number = resolve_start(loop, "127.0.0.1", 1, on_answer, &answer);

        resolve_cancel(by_number);
        resolve_cancel(resolve_start(loop, "localhost", 1, on_answer, &answer));
    }
    resolve_cancel(NULL);
    last = ask("localhost", 1);
    assert_int_equal(last.rc, RC_OK);
    assert_false(answer.called);
}

static void
a_server_resolves_at_once(void **state)
{
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
    char text[RESOLVE_TEXT_MAX];
    size_t count;
    struct err e;

    (void)state;
    assert_int_equal(resolve_now("0.0.0.0", 0, addresses, &count, &e), RC_OK);
    assert_int_equal(count, 1);
    resolve_address_text(&addresses[0], text);
    assert_string_equal(text, "0.0.0.0:0");
    assert_int_equal(resolve_now("no-such-host.invalid", 0, addresses, &count, &e), RC_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_addresses, start, end),
        cmocka_unit_test_setup_teardown(names_are_looked_up_beside_the_loop, start, end),
        cmocka_unit_test_setup_teardown(an_unknown_name_is_an_error_with_that_name, start, end),
        cmocka_unit_test_setup_teardown(a_canceled_look_up_never_calls_back, start, end),
        cmocka_unit_test_setup_teardown(a_server_resolves_at_once, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
