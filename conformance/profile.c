#include "conformance/profile.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/conformance_profiles.h"
#include "lib/base/xalloc.h"

#define COMMIT_MS 5000
#define METADATA_MS 10000
#define NAMES_BYTES_MAX 256

struct profile *
profile_new_empty(void)
{
    struct profile *profile = xcalloc(1, sizeof *profile);

    profile->name = xstrdup("none");
    profile->about = xstrdup("");
    profile->commit_ms = COMMIT_MS;
    profile->metadata_ms = METADATA_MS;
    return profile;
}

void
profile_free(struct profile *profile)
{
    if (profile == NULL)
        return;
    for (size_t i = 0; i < profile->expectation_count; i++) {
        free(profile->expectations[i].pattern);
        free(profile->expectations[i].observed);
        free(profile->expectations[i].why);
    }
    for (size_t i = 0; i < profile->topic_count; i++)
        free(profile->topics[i]);
    for (size_t i = 0; i < profile->required_count; i++)
        free(profile->required[i]);
    free(profile->required);
    free(profile->expectations);
    free(profile->name);
    free(profile->about);
    free(profile);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A line being cut into words. */
struct line {
    const char *at;
    const char *end;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static char *
word_take(struct line *line)
{
    const char *start;

    while (line->at < line->end && is_blank(*line->at))
        line->at++;
    start = line->at;
    while (line->at < line->end && !is_blank(*line->at))
        line->at++;
    return xmemdup(start, (size_t)(line->at - start));
}

static char *
rest_take(struct line *line)
{
    const char *end = line->end;

    while (line->at < end && is_blank(*line->at))
        line->at++;
    while (end > line->at && is_blank(end[-1]))
        end--;
    return xmemdup(line->at, (size_t)(end - line->at));
}

static void
text_set(char **text, char *value)
{
    free(*text);
    *text = value;
}

static enum rc
limit_parse(struct profile *profile, struct line *line, struct err *e)
{
    char *name = word_take(line), *number = word_take(line), *end;
    int64_t value;
    enum rc rc = RC_OK;

    errno = 0;
    value = strtoll(number, &end, 10);
    if (end == number || *end != '\0' || errno != 0 || value <= 0)
        rc = err_set(e, RC_CONFIG, "limit %s wants milliseconds, not %s", name, number);
    else if (strcmp(name, "commit_ms") == 0)
        profile->commit_ms = value;
    else if (strcmp(name, "metadata_ms") == 0)
        profile->metadata_ms = value;
    else
        rc = err_set(e, RC_CONFIG, "unknown limit %s (commit_ms, metadata_ms)", name);
    free(name);
    free(number);
    return rc;
}

static enum rc
expect_parse(struct profile *profile, struct line *line, struct err *e)
{
    struct profile_expectation it = {word_take(line), word_take(line), rest_take(line)};

    profile->expectations = xrealloc(
        profile->expectations, profile->expectation_count + 1, sizeof *profile->expectations);
    profile->expectations[profile->expectation_count++] = it;
    if (*it.observed == '\0' || *it.why == '\0')
        return err_set(e, RC_CONFIG,
            "expect wants a check, an observation and the reason: expect ID WORD WHY");
    return RC_OK;
}

static enum rc
topic_parse(struct profile *profile, struct line *line, struct err *e)
{
    char *pair = rest_take(line);

    if (strchr(pair, '=') == NULL || profile->topic_count == PROFILE_TOPICS_MAX) {
        free(pair);
        return err_set(
            e, RC_CONFIG, "topic wants NAME=VALUE, at most %d of them", PROFILE_TOPICS_MAX);
    }
    profile->topics[profile->topic_count++] = pair;
    return RC_OK;
}

static enum rc
line_parse(struct profile *profile, struct line *line, struct err *e)
{
    char *word = word_take(line);
    enum rc rc = RC_OK;

    if (*word == '\0' || *word == '#')
        rc = RC_OK;
    else if (strcmp(word, "name") == 0)
        text_set(&profile->name, rest_take(line));
    else if (strcmp(word, "about") == 0)
        text_set(&profile->about, rest_take(line));
    else if (strcmp(word, "topic") == 0)
        rc = topic_parse(profile, line, e);
    else if (strcmp(word, "limit") == 0)
        rc = limit_parse(profile, line, e);
    else if (strcmp(word, "expect") == 0)
        rc = expect_parse(profile, line, e);
    else if (strcmp(word, "require") == 0) {
        profile->required =
            xrealloc(profile->required, profile->required_count + 1, sizeof *profile->required);
        profile->required[profile->required_count++] = rest_take(line);
    } else
        rc = err_set(e, RC_CONFIG, "unknown word %s", word);
    free(word);
    return rc;
}

enum rc
profile_parse(
    const char *text, size_t size, const char *origin, struct profile **out, struct err *e)
{
    struct profile *profile = profile_new_empty();
    const char *at = text, *text_end = text + size;
    unsigned number = 1;
    enum rc rc = RC_OK;

    for (; at < text_end && rc == RC_OK; number++) {
        const char *newline = memchr(at, '\n', (size_t)(text_end - at));
        struct line line = {at, newline == NULL ? text_end : newline};

        rc = number > PROFILE_LINES_MAX ? err_set(e, RC_LIMIT, "too many lines")
                                        : line_parse(profile, &line, e);
        if (rc != RC_OK)
            err_note(e, "%s line %u", origin, number);
        at = line.end + 1;
    }
    if (rc == RC_OK)
        *out = profile;
    else
        profile_free(profile);
    return rc;
}

static enum rc
file_load(const char *path, struct profile **out, struct err *e)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t size;
    enum rc rc;

    if (file == NULL)
        return err_set(e, RC_CONFIG, "there is no profile %s, neither built in (%s) nor a file.",
            path, profile_names());
    text = xmalloc(PROFILE_BYTES_MAX);
    size = fread(text, 1, PROFILE_BYTES_MAX, file);
    if (ferror(file) != 0 || size == PROFILE_BYTES_MAX)
        rc = err_set(e, RC_CONFIG, "%s cannot be read as a profile.", path);
    else
        rc = profile_parse(text, size, path, out, e);
    free(text);
    fclose(file);
    return rc;
}

enum rc
profile_load(const char *name, struct profile **out, struct err *e)
{
    for (size_t i = 0; i < conformance_profiles_count; i++)
        if (strcmp(conformance_profiles[i].name, name) == 0)
            return profile_parse(
                conformance_profiles[i].text, strlen(conformance_profiles[i].text), name, out, e);
    return file_load(name, out, e);
}

const char *
profile_names(void)
{
    static char names[NAMES_BYTES_MAX];
    size_t size = 0;

    for (size_t i = 0; i < conformance_profiles_count && size < sizeof names; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", i > 0 ? ", " : "",
            conformance_profiles[i].name);
    return names;
}

/* --- judging ---------------------------------------------------------------------------------- */

bool
profile_is_observed(const char *alternatives, const char *observed)
{
    const char *at = alternatives;

    while (at != NULL) {
        const char *bar = strchr(at, '|');
        char *one = xmemdup(at, bar == NULL ? strlen(at) : (size_t)(bar - at));
        bool fits = fnmatch(one, observed, 0) == 0;

        free(one);
        if (fits)
            return true;
        at = bar == NULL ? NULL : bar + 1;
    }
    return false;
}

static void
failure_judge(const struct profile_expectation *expectation, struct result *result)
{
    if (profile_is_observed(expectation->observed, result->observed)) {
        result->verdict = VERDICT_DOCUMENTED;
        text_set(&result->reason, xstrdup(expectation->why));
    } else
        text_set(&result->reason, xasprintf("the profile says %s (%s), this is %s",
                                      expectation->observed, expectation->why, result->observed));
}

void
profile_judge(const struct profile *profile, const char *id, struct result *result)
{
    const struct profile_expectation *expectation = NULL;

    for (size_t i = 0; i < profile->expectation_count && expectation == NULL; i++)
        if (fnmatch(profile->expectations[i].pattern, id, 0) == 0)
            expectation = &profile->expectations[i];
    if (result->verdict == VERDICT_FAIL && expectation != NULL && result->observed != NULL)
        failure_judge(expectation, result);
    if (result->verdict == VERDICT_PASS && expectation != NULL) {
        result->verdict = VERDICT_STALE;
        text_set(
            &result->reason, xasprintf("the profile is stale: it says %s", expectation->observed));
    }
    for (size_t i = 0; i < profile->required_count; i++)
        if (result->verdict == VERDICT_SKIP && fnmatch(profile->required[i], id, 0) == 0)
            result->verdict = VERDICT_FAIL;
}
