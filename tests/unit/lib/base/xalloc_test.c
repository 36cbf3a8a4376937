#include "lib/base/xalloc.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void
nothing_asked_for_is_still_memory(void **state)
{
    (void)state;
    void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xrealloc(NULL, 0, 8);

    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    free(a);
    free(b);
    free(xrealloc(c, 0, 0));
}

static void
xcalloc_zeroes_and_xrealloc_keeps(void **state)
{
    int *numbers = xcalloc(100, sizeof *numbers);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    numbers[99] = 7;
    numbers = xrealloc(numbers, 10000, sizeof *numbers);
    assert_int_equal(numbers[99], 7);
    free(numbers);
}

static void
copies_end_with_a_zero(void **state)
{
    char *text = xstrdup("abc"), *bytes = xmemdup("abcdef", 3), *none = xmemdup(NULL, 0);
    char *printed = xasprintf("%s-%05d", "x", 42);

    (void)state;
    assert_string_equal(text, "abc");
    assert_string_equal(bytes, "abc");
    assert_string_equal(none, "");
    assert_string_equal(printed, "x-00042");
    free(text);
    free(bytes);
    free(none);
    free(printed);
}

static void
requires_falsely(void)
{
    REQUIRE(1 + 1 == 3);
}

static void
overflows(void)
{
    free(xrealloc(NULL, SIZE_MAX / 2, 3));
}

/* Runs it in a process of its own; returns how that ended, and what it said. */
static int
end_of(void (*run)(void), char *said, size_t size)
{
    int pipe_fds[2], status = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(pipe_fds[1], STDERR_FILENO);
        run();
        _exit(0);
    }
    close(pipe_fds[1]);
    n = read(pipe_fds[0], said, size - 1);
    said[n < 0 ? 0 : n] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
a_broken_assumption_ends_the_process_and_says_where(void **state)
{
    char said[256];
    int status = end_of(requires_falsely, said, sizeof said);

    (void)state;
    REQUIRE(1 + 1 == 2);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(said, "xalloc_test.c:"));
    assert_non_null(strstr(said, "broken assumption: 1 + 1 == 3"));
}

static void
a_size_that_overflows_ends_the_process(void **state)
{
    char said[256];

    (void)state;
    assert_true(WIFSIGNALED(end_of(overflows, said, sizeof said)));
    assert_non_null(strstr(said, "broken assumption"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_for_is_still_memory),
        cmocka_unit_test(xcalloc_zeroes_and_xrealloc_keeps),
        cmocka_unit_test(copies_end_with_a_zero),
        cmocka_unit_test(a_broken_assumption_ends_the_process_and_says_where),
        cmocka_unit_test(a_size_that_overflows_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
