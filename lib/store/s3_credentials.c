#include "lib/store/s3_credentials.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text_file.h"
#include "lib/crypto/digest.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define BLANKS " \t\r"

/* One that does not fit, or has characters that would break a header, is told by its name only. */
static enum rc
value_set(char *to, size_t to_size, const char *from, size_t size, const char *name, struct err *e)
{
    if (size >= to_size)
        return err_set(e, RC_CONFIG, "%s is longer than %zu characters", name, to_size - 1);
    for (size_t i = 0; i < size; i++)
        if (from[i] <= ' ' || from[i] > '~')
            return err_set(e, RC_CONFIG, "%s has a blank or a character that is none", name);
    memcpy(to, from, size);
    to[size] = '\0';
    return RC_OK;
}

static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

static enum rc
from_environment(struct s3_credentials *out, struct err *e)
{
    const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");
    const char *token = variable("AWS_SESSION_TOKEN");
    enum rc rc;

    if (id == NULL || secret == NULL)
        return err_set(e, RC_CONFIG,
            "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both or none");
    rc = value_set(out->id, sizeof out->id, id, strlen(id), "AWS_ACCESS_KEY_ID", e);
    if (rc == RC_OK)
        rc = value_set(
            out->secret, sizeof out->secret, secret, strlen(secret), "AWS_SECRET_ACCESS_KEY", e);
    if (rc == RC_OK && token != NULL)
        rc = value_set(out->token, sizeof out->token, token, strlen(token), "AWS_SESSION_TOKEN", e);
    return rc;
}

/* "name = value" of the wanted profile. */
static enum rc
line_take(struct s3_credentials *out, const char *line, size_t size, struct err *e)
{
    const struct {
        const char *name;
        char *to;
        size_t to_size;
    } wanted[] = {{"aws_access_key_id", out->id, sizeof out->id},
        {"aws_secret_access_key", out->secret, sizeof out->secret},
        {"aws_session_token", out->token, sizeof out->token}};
    const char *equals = memchr(line, '=', size);
    size_t name, value;

    if (equals == NULL)
        return RC_OK;
    for (name = (size_t)(equals - line); name > 0 && strchr(BLANKS, line[name - 1]) != NULL;)
        name--;
    value = size - (size_t)(equals + 1 - line);
    for (equals++; value > 0 && strchr(BLANKS, *equals) != NULL; value--)
        equals++;
    while (value > 0 && strchr(BLANKS, equals[value - 1]) != NULL)
        value--;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strlen(wanted[i].name) == name && memcmp(line, wanted[i].name, name) == 0)
            return value_set(wanted[i].to, wanted[i].to_size, equals, value, wanted[i].name, e);
    return RC_OK;
}

static enum rc
profile_read(struct s3_credentials *out, const char *text, const char *profile, struct err *e)
{
    bool wanted = false;
    enum rc rc = RC_OK;

    while (rc == RC_OK && *text != '\0') {
        size_t end = strcspn(text, "\n"), first = strspn(text, BLANKS);
        const char *line = text + (first < end ? first : end);
        size_t size = end - (size_t)(line - text);

        if (size > 0 && *line == '[') {
            const char *close = memchr(line, ']', size);

            wanted = close != NULL && (size_t)(close - line) == strlen(profile) + 1 &&
                     memcmp(line + 1, profile, strlen(profile)) == 0;
        } else if (wanted && size > 0 && *line != '#' && *line != ';') {
            rc = line_take(out, line, size, e);
        }
        text += end + (text[end] == '\n');
    }
    return rc;
}

static enum rc
from_file(struct s3_credentials *out, const char *path, struct err *e)
{
    const char *profile = variable("AWS_PROFILE");
    struct buf text;
    enum rc rc;

    if (profile == NULL)
        profile = "default";
    buf_init(&text, FILE_BYTES_MAX);
    rc = text_file_read(path, "credentials file", &text, e);
    if (rc != RC_OK)
        err_note(e, "AWS_ACCESS_KEY_ID is not set");
    if (rc == RC_OK)
        rc = profile_read(out, buf_text(&text), profile, e);
    if (rc == RC_OK && (*out->id == '\0' || *out->secret == '\0'))
        rc = err_set(e, RC_CONFIG,
            "%s has no aws_access_key_id and aws_secret_access_key in [%s]: write them there, or "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            path, profile);
    if (text.data != NULL)
        digest_wipe(text.data, text.size);
    buf_fini(&text);
    return rc;
}

enum rc
s3_credentials_load(struct s3_credentials *out, struct err *e)
{
    const char *path = variable("AWS_SHARED_CREDENTIALS_FILE"), *home = variable("HOME");
    char below_home[PATH_MAX];
    enum rc rc;

    memset(out, 0, sizeof *out);
    if (variable("AWS_ACCESS_KEY_ID") != NULL || variable("AWS_SECRET_ACCESS_KEY") != NULL) {
        rc = from_environment(out, e);
    } else {
        if (path == NULL) {
            snprintf(
                below_home, sizeof below_home, "%s/.aws/credentials", home != NULL ? home : "");
            path = below_home;
        }
        rc = from_file(out, path, e);
    }
    if (rc != RC_OK)
        s3_credentials_wipe(out);
    return rc;
}

void
s3_credentials_wipe(struct s3_credentials *credentials)
{
    digest_wipe(credentials, sizeof *credentials);
}
