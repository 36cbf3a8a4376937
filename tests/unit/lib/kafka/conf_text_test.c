/* The syntax of java.util.Properties and its neighbours, by example; then what is broken. */
#include "tests/unit/unit.h"

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/conf_text.h"

static struct err e;

static enum rc
collect(void *arg, const char *name, const char *value, unsigned line, struct err *err)
{
    struct buf *out = arg;

    if (strcmp(name, "stop") == 0)
        return err_set(err, RC_CONFIG, "stopped");
    buf_printf(out, "%u[%s]=[%s]", line, name, value);
    return RC_OK;
}

static const char *
properties(const char *text)
{
    static char result[1000];
    struct buf out;

    buf_init(&out, 900);
    assert_int_equal(conf_text_properties(text, strlen(text), collect, &out, &e), RC_OK);
    snprintf(result, sizeof result, "%s", buf_text(&out));
    buf_fini(&out);
    return result;
}

static void
properties_are_read_as_java_reads_them(void **state)
{
    static const char *const rows[][2] = {
        {"a=1\nb=2", "1[a]=[1]2[b]=[2]"},
        {"# c\n! d\n\n \t\n a = 1 \r\nb:2\rc 3", "5[a]=[1 ]6[b]=[2]7[c]=[3]"},
        {"a\\=b\\:c\\ d=e", "1[a=b:c d]=[e]"},
        {"a=x\\\n   y\\\r\n\tz\nb=1", "1[a]=[xyz]4[b]=[1]"},
        {"a=\\t\\n\\r\\f\\q\\\\", "1[a]=[\t\n\r\fq\\]"},
        {"a=\\u0041\\u00e9\\u20AC", "1[a]=[A\xc3\xa9\xe2\x82\xac]"},
        {"a", "1[a]=[]"},
        {"a=", "1[a]=[]"},
        {"=b", "1[]=[b]"},
        {"a==b", "1[a]=[=b]"},
        {"a=b#c", "1[a]=[b#c]"},
        {"a=b\\", "1[a]=[b]"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(properties(rows[i][0]), rows[i][1]);
}

static void
broken_properties_are_refused_with_their_line(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(conf_text_properties("a=1\nb=\\u12", 10, collect, &out, &e), RC_CONFIG);
    assert_string_equal(e.text, "line 2: \\u needs four hexadecimal digits");
    assert_int_equal(conf_text_properties("a=1\nb=\\u12g4", 12, collect, &out, &e), RC_CONFIG);
    assert_int_equal(conf_text_properties("a=b\0c", 5, collect, &out, &e), RC_CONFIG);
    assert_int_equal(conf_text_properties("a=1\nstop=1\nc=2", 14, collect, &out, &e), RC_CONFIG);
    assert_string_equal(e.text, "stopped");
    buf_fini(&out);
}

/* Any bytes are either read or refused. */
static void
random_bytes_do_no_harm(void **state)
{
    static const char pieces[][6] = {
        "a", "=", ":", " ", "\\", "\n", "\r", "u", "0", "#", "\"", ";"};
    char text[40];
    struct buf out;

    (void)state;
    srand(7);
    buf_init(&out, 10000);
    for (int i = 0; i < 20000; i++) {
        char *module, *user, *password;
        size_t size = (size_t)rand() % (sizeof text - 1);

        for (size_t k = 0; k < size; k++)
            text[k] = pieces[(size_t)rand() % ARRAY_LEN(pieces)][0];
        text[size] = '\0';
        buf_clear(&out);
        (void)!conf_text_properties(text, size, collect, &out, &e);
        if (conf_text_jaas(text, &module, &user, &password, &e) == RC_OK) {
            free(module);
            free(user);
            free(password);
        }
        free(conf_text_pem(text));
    }
    buf_fini(&out);
}

static void
login_modules_give_user_and_password(void **state)
{
    static const char *const rows[][4] = {
        {"org.apache.kafka.common.security.plain.PlainLoginModule required username=\"anna\" "
         "password=\"s3cret\";",
            "org.apache.kafka.common.security.plain.PlainLoginModule", "anna", "s3cret"},
        {"  X   required\n  username=anna\n password='p;w \"x\"' ; ", "X", "anna", "p;w \"x\""},
        {"X required password=\"a\\\"b\\\\c\" tokenauth=\"true\" username = \"a b\";", "X", "a b",
            "a\"b\\c"},
        {"X required;", "X", NULL, NULL},
        {"X required username=\"\" password=\"\";", "X", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got[3];

        assert_int_equal(conf_text_jaas(rows[i][0], &got[0], &got[1], &got[2], &e), RC_OK);
        for (size_t k = 0; k < 3; k++) {
            if (rows[i][k + 1] == NULL)
                assert_null(got[k]);
            else
                assert_string_equal(got[k], rows[i][k + 1]);
            free(got[k]);
        }
    }
}

static void
broken_login_modules_are_refused_without_showing_the_password(void **state)
{
    static const char *const bad[] = {"", ";", "X", "X required", "X required password=\"SECRET\"",
        "X required password=\"SECRET", "X required password=\"SECRET\"; more",
        "X required password", "X required =\"SECRET\";", "X required password=;"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *module, *user, *password;

        assert_int_equal(conf_text_jaas(bad[i], &module, &user, &password, &e), RC_CONFIG);
        assert_non_null(strstr(e.text, "sasl.jaas.config"));
        assert_null(strstr(e.text, "SECRET"));
        assert_null(module);
    }
}

static void
lists_of_servers_are_read(void **state)
{
    struct conf_text_server *servers;
    size_t count;

    (void)state;
    assert_int_equal(conf_text_servers("a:1, b ,[::1]:65535,SASL_SSL://c.d:9093,\n[fe80::1]",
                         &servers, &count, &e),
        RC_OK);
    assert_int_equal(count, 5);
    assert_string_equal(servers[0].host, "a");
    assert_int_equal(servers[0].port, 1);
    assert_string_equal(servers[1].host, "b");
    assert_int_equal(servers[1].port, 9092);
    assert_string_equal(servers[2].host, "[::1]");
    assert_int_equal(servers[2].port, 65535);
    assert_string_equal(servers[3].host, "c.d");
    assert_int_equal(servers[3].port, 9093);
    assert_string_equal(servers[4].host, "[fe80::1]");
    conf_text_servers_free(servers, count);
}

static void
wrong_servers_are_named(void **state)
{
    static const char *const bad[] = {"a:", ":1", "a:0", "a:65536", "a:x", "a:1x", "a:123456",
        "[::1", "[::1]x", "[::1]:", "ok:1,a:-1"};
    struct conf_text_server *servers;
    size_t count;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(conf_text_servers(bad[i], &servers, &count, &e), RC_CONFIG);
        assert_non_null(strstr(e.text, "is no address of a server (HOST:PORT)"));
    }
    assert_int_equal(conf_text_servers(" , ", &servers, &count, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "no server is given"));
}

static void
pem_on_one_line_gets_its_lines(void **state)
{
    char *text =
        conf_text_pem("-----BEGIN CERTIFICATE----- QUJD REVG"
                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA "
                      "-----END CERTIFICATE----- -----BEGIN X-----QQ==-----END X-----");

    (void)state;
    assert_string_equal(text, "-----BEGIN CERTIFICATE-----\n"
                              "QUJDREVGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                              "AAAAAAAAAAAA\n-----END CERTIFICATE-----\n"
                              "-----BEGIN X-----\nQQ==\n-----END X-----\n");
    free(text);
    text = conf_text_pem("junk\n-----BEGIN X-----\nProc-Type: 4\n\nQQ==\n-----END X-----\njunk");
    assert_string_equal(text, "-----BEGIN X-----\nProc-Type: 4\n\nQQ==\n-----END X-----\n");
    free(text);
    text = conf_text_pem("-----BEGIN X----- cut");
    assert_string_equal(text, "-----BEGIN X----- cut");
    free(text);
}

static void
distances_count_the_slips_of_a_finger(void **state)
{
    char word[80];

    (void)state;
    assert_int_equal(conf_text_distance("", ""), 0);
    assert_int_equal(conf_text_distance("abc", "abc"), 0);
    assert_int_equal(conf_text_distance("", "abc"), 3);
    assert_int_equal(conf_text_distance("abcd", "abxd"), 1);
    assert_int_equal(conf_text_distance("abcd", "abd"), 1);
    assert_int_equal(conf_text_distance("abcd", "abccd"), 1);
    assert_int_equal(conf_text_distance("abcd", "acbd"), 1);
    assert_int_equal(conf_text_distance("kitten", "sitting"), 3);
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_true(conf_text_distance(word, "x") == SIZE_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_are_read_as_java_reads_them),
        cmocka_unit_test(broken_properties_are_refused_with_their_line),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(login_modules_give_user_and_password),
        cmocka_unit_test(broken_login_modules_are_refused_without_showing_the_password),
        cmocka_unit_test(lists_of_servers_are_read),
        cmocka_unit_test(wrong_servers_are_named),
        cmocka_unit_test(pem_on_one_line_gets_its_lines),
        cmocka_unit_test(distances_count_the_slips_of_a_finger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
