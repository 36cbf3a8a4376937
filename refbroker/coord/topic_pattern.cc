#include "refbroker/coord/topic_pattern.h"

#include <re2/re2.h>

struct topic_pattern {
    re2::RE2 compiled;
};

static const char *
why_of(re2::RE2::ErrorCode code)
{
    switch (code) {
    case re2::RE2::ErrorBadEscape:
        return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
        return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
        return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
        return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
        return "missing closing )";
    case re2::RE2::ErrorTrailingBackslash:
        return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
        return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
        return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
        return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
        return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
        return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
        return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
        return "expression too large";
    default:
        return "regexp/syntax: internal error";
    }
}

/* re2j knows (?<name>...) too, which older RE2 writes (?P<name>...) only. */
static std::string
named_groups_translate(const char *text, size_t size)
{
    std::string out;
    bool in_class = false, quoted = false;

    for (size_t i = 0; i < size; i++) {
        bool escape = text[i] == '\\' && i + 1 < size;

        out += text[i];
        if (escape) {
            out += text[++i];
            quoted = quoted ? text[i] != 'E' : text[i] == 'Q' && !in_class;
        } else if (!quoted && in_class) {
            in_class = text[i] != ']';
        } else if (!quoted && text[i] == '[') {
            in_class = true;
            /* A bracket at the beginning of a class is one of its characters. */
            if (i + 1 < size && text[i + 1] == '^')
                out += text[++i];
            if (i + 1 < size && text[i + 1] == ']')
                out += text[++i];
        } else if (!quoted && text[i] == '(' && i + 2 < size && text[i + 1] == '?' &&
                   text[i + 2] == '<') {
            out += "?P";
            i++;
        }
    }
    return out;
}

struct topic_pattern *
topic_pattern_new(const char *text, size_t size, const char **why)
{
    topic_pattern *pattern =
        new topic_pattern{{named_groups_translate(text, size), re2::RE2::Quiet}};

    if (pattern->compiled.ok())
        return pattern;
    *why = why_of(pattern->compiled.error_code());
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
