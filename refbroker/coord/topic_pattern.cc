#include "refbroker/coord/topic_pattern.h"

#include <re2/re2.h>

struct topic_pattern {
    re2::RE2 compiled;
};

struct topic_pattern *
topic_pattern_new(const char *text, size_t size, const char **why)
{
    struct topic_pattern *pattern =
        new topic_pattern{{re2::StringPiece(text, size), re2::RE2::Quiet}};

    if (pattern->compiled.ok())
        return pattern;
    *why = "no regular expression";
    delete pattern;
    return nullptr;
}

void
topic_pattern_free(struct topic_pattern *pattern)
{
    delete pattern;
}

bool
topic_pattern_matches(const struct topic_pattern *pattern, const char *name)
{
    return re2::RE2::FullMatch(name, pattern->compiled);
}
