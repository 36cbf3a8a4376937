#include "lib/store/s3_credentials.h"

#include "lib/base/xalloc.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 32];

static int
setup(void **state)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/credentials", folder);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

static void
file_write(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
}

static void
the_environment_comes_first(void **state)
{
    struct s3_credentials c;

    (void)state;
    file_write("[default]\naws_access_key_id=F\naws_secret_access_key=G\n");
    setenv("AWS_ACCESS_KEY_ID", "ID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SE/CRET+", 1);
    assert_int_equal(s3_credentials_load(&c, NULL), RC_OK);
    assert_string_equal(c.id, "ID");
    assert_string_equal(c.secret, "SE/CRET+");
    assert_string_equal(c.token, "");
    setenv("AWS_SESSION_TOKEN", "TOKEN", 1);
    assert_int_equal(s3_credentials_load(&c, NULL), RC_OK);
    assert_string_equal(c.token, "TOKEN");
}

static void
a_profile_of_the_file_comes_second(void **state)
{
    struct s3_credentials c;

    (void)state;
    file_write("# mine\n[other]\r\naws_access_key_id = O\naws_secret_access_key = P=Q \n"
               "aws_session_token=T\n\n [default]\n;aws_access_key_id = X\n  aws_access_key_id=D\n"
               "region = r\naws_secret_access_key\t=\tE\r\n[last");
    assert_int_equal(s3_credentials_load(&c, NULL), RC_OK);
    assert_string_equal(c.id, "D");
    assert_string_equal(c.secret, "E");
    assert_string_equal(c.token, "");
    setenv("AWS_PROFILE", "other", 1);
    assert_int_equal(s3_credentials_load(&c, NULL), RC_OK);
    assert_string_equal(c.id, "O");
    assert_string_equal(c.secret, "P=Q");
    assert_string_equal(c.token, "T");
}

static void
the_file_lies_in_the_home_folder(void **state)
{
    char *home = getenv("HOME") != NULL ? xstrdup(getenv("HOME")) : NULL;
    struct err e;
    struct s3_credentials c;

    (void)state;
    setenv("HOME", folder, 1);
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "AWS_ACCESS_KEY_ID is not set"));
    assert_non_null(strstr(e.text, "/.aws/credentials"));
    if (home != NULL)
        setenv("HOME", home, 1);
    free(home);
}

static void
what_is_missing_or_no_key_is_told_without_its_value(void **state)
{
    char longest[S3_CREDENTIALS_SECRET_BYTES + 1];
    struct s3_credentials c;
    struct err e;

    (void)state;
    file_write("[default]\naws_access_key_id=D\n[x]\naws_secret_access_key=E\n");
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "in [default]"));
    setenv("AWS_ACCESS_KEY_ID", "ID", 1);
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "only one is set"));
    setenv("AWS_SECRET_ACCESS_KEY", "SEC RET", 1);
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "AWS_SECRET_ACCESS_KEY"));
    assert_null(strstr(e.text, "SEC RET"));
    setenv("AWS_SECRET_ACCESS_KEY", "a\r\nb", 1);
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    memset(longest, 's', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    setenv("AWS_SECRET_ACCESS_KEY", longest, 1);
    assert_int_equal(s3_credentials_load(&c, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "longer than 256"));
    assert_int_equal(c.id[0], '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_environment_comes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_profile_of_the_file_comes_second, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_lies_in_the_home_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_missing_or_no_key_is_told_without_its_value, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
