/* Files that are right, missing, empty, broken or locked, and what is said of each. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "lib/net/tls_context.h"
#include "tests/unit/lib/net/certificates.h"

static struct certificate ca, one, two;
static char dir[] = "/tmp/tls_context_XXXXXX";
static struct err e;

static const char *
file_of(const char *name, const char *text, const char *more)
{
    static char path[4][128];
    static int turn;
    char *out = path[turn++ % 4];
    FILE *file;

    snprintf(out, sizeof path[0], "%s/%s", dir, name);
    file = fopen(out, "w");
    assert_non_null(file);
    fprintf(file, "%s%s", text, more);
    assert_int_equal(fclose(file), 0);
    return out;
}

static int
start(void **state)
{
    (void)state;
    ca = certificate_make("CA", NULL, NULL);
    one = certificate_make("one", "DNS:one", &ca);
    two = certificate_make("two", "DNS:two", &ca);
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
end(void **state)
{
    char path[128];
    static const char *const names[] = {"ca", "key", "both", "broken", "empty"};

    (void)state;
    certificate_fini(&ca);
    certificate_fini(&one);
    certificate_fini(&two);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static enum rc
client_with(const struct tls_options *options)
{
    struct tls_context *context = NULL;
    enum rc rc = tls_context_new_client(options, &context, &e);

    tls_context_free(context);
    return rc;
}

static void
files_and_texts_are_read(void **state)
{
    const char *both = file_of("both", one.key_text, one.text);
    struct tls_options files = {
        .ca_file = file_of("ca", ca.text, two.text), .certificate_file = both, .key_file = both};
    struct tls_options texts = {
        .ca_text = ca.text, .certificate_text = one.text, .key_text = one.key_text};
    struct tls_options folder = {.ca_file = dir}, system = {.version_min = "TLSv1.3"};

    (void)state;
    assert_int_equal(client_with(&files), RC_OK);
    assert_int_equal(client_with(&texts), RC_OK);
    assert_int_equal(client_with(&folder), RC_OK);
    assert_int_equal(client_with(&system), RC_OK);
}

static void
a_bad_ca_file_is_named(void **state)
{
    struct tls_options options = {.ca_file = "/nowhere/ca.pem"};

    (void)state;
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_string_equal(e.text, "cannot read CA file /nowhere/ca.pem: No such file or directory");
    options.ca_file = file_of("empty", "nothing here\n", "");
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "/empty holds no certificate in PEM form"));
    options.ca_file =
        file_of("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "");
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "/broken holds a broken certificate"));
}

static void
a_key_must_fit_and_open(void **state)
{
    char *locked = certificate_locked_key(&one, "open sesame");
    struct tls_options options = {.ca_text = ca.text, .certificate_text = one.text};

    (void)state;
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "needs its private key"));
    options.key_text = two.key_text;
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "does not belong to the certificate"));
    options.key_text = locked;
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "password is missing (ssl.key.password)"));
    options.key_password = "sesame";
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "password is wrong (ssl.key.password)"));
    assert_null(strstr(e.text, "sesame"));
    options.key_password = "open sesame";
    assert_int_equal(client_with(&options), RC_OK);
    options.key_text = NULL;
    options.key_file = file_of("key", "no key\n", "");
    assert_int_equal(client_with(&options), RC_CONFIG);
    assert_non_null(strstr(e.text, "/key holds no private key in PEM form"));
    free(locked);
}

static void
a_server_needs_a_certificate(void **state)
{
    struct tls_options options = {.ca_text = ca.text};
    struct tls_context *context = NULL;

    (void)state;
    assert_int_equal(tls_context_new_server(&options, &context, &e), RC_CONFIG);
    options.certificate_text = one.text;
    options.key_text = one.key_text;
    assert_int_equal(tls_context_new_server(&options, &context, &e), RC_OK);
    assert_false(tls_context_is_client(context));
    tls_context_free(context);
}

static void
wrong_rules_are_refused(void **state)
{
    struct tls_options old = {.version_min = "TLSv1.0"}, ciphers = {.ciphers = "NO-SUCH-CIPHER"};

    (void)state;
    assert_int_equal(client_with(&old), RC_CONFIG);
    assert_non_null(strstr(e.text, "TLSv1.0 is not known"));
    assert_int_equal(client_with(&ciphers), RC_CONFIG);
    assert_non_null(strstr(e.text, "NO-SUCH-CIPHER"));
    tls_context_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_texts_are_read),
        cmocka_unit_test(a_bad_ca_file_is_named),
        cmocka_unit_test(a_key_must_fit_and_open),
        cmocka_unit_test(a_server_needs_a_certificate),
        cmocka_unit_test(wrong_rules_are_refused),
    };

    return cmocka_run_group_tests(tests, start, end);
}
