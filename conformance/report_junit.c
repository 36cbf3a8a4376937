#include "conformance/report_junit.h"

#include <inttypes.h>
#include <string.h>

#include "conformance/result.h"

/* Text for an attribute or an element; what XML 1.0 cannot hold becomes '?'. */
static void
escaped_add(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '&')
            buf_append_text(out, "&amp;");
        else if (c == '<')
            buf_append_text(out, "&lt;");
        else if (c == '>')
            buf_append_text(out, "&gt;");
        else if (c == '"')
            buf_append_text(out, "&quot;");
        else if (c < ' ' && c != '\n' && c != '\t')
            buf_append_byte(out, '?');
        else
            buf_append_byte(out, c);
    }
}

static void
attribute_add(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s=\"", name);
    escaped_add(out, value);
    buf_append_text(out, "\"");
}

static void
evidence_add(struct buf *out, const struct jdoc *check)
{
    static const char *const names[] = {
        "rule", "sent", "expected", "received", "answer", "sent_hex", "answer_hex", "source"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = jdoc_get_text(check, names[i], "");

        if (*text == '\0')
            continue;
        buf_printf(out, "%s: ", names[i]);
        escaped_add(out, text);
        buf_append_text(out, "\n");
    }
}

static void
case_add(struct buf *out, const struct jdoc *check)
{
    const char *verdict = jdoc_get_text(check, "verdict", "");
    int64_t ms = jdoc_get_int(check, "duration_ms", 0);
    const char *element = strcmp(verdict, result_word(VERDICT_ERROR)) == 0 ? "error" : "failure";

    buf_append_text(out, "    <testcase");
    attribute_add(out, "classname", jdoc_get_text(check, "area", ""));
    attribute_add(out, "name", jdoc_get_text(check, "id", ""));
    buf_printf(out, " time=\"%" PRId64 ".%03d\"", ms / 1000, (int)(ms % 1000));
    if (strcmp(verdict, result_word(VERDICT_PASS)) == 0) {
        buf_append_text(out, "/>\n");
        return;
    }
    buf_append_text(out, ">\n");
    if (strcmp(verdict, result_word(VERDICT_SKIP)) == 0 ||
        strcmp(verdict, result_word(VERDICT_DOCUMENTED)) == 0) {
        buf_append_text(out, "      <skipped");
        attribute_add(out, "message", jdoc_get_text(check, "reason", verdict));
        buf_append_text(out, "/>\n");
    } else {
        buf_printf(out, "      <%s", element);
        attribute_add(out, "message",
            jdoc_get_text(check, "received", jdoc_get_text(check, "reason", verdict)));
        buf_append_text(out, ">");
        evidence_add(out, check);
        buf_printf(out, "</%s>\n", element);
    }
    buf_append_text(out, "    </testcase>\n");
}

static bool
is_first_of_area(const struct jdoc *checks, size_t at)
{
    const char *area = jdoc_get_text(jdoc_at(checks, at), "area", "");

    for (size_t i = 0; i < at; i++)
        if (strcmp(jdoc_get_text(jdoc_at(checks, i), "area", ""), area) == 0)
            return false;
    return true;
}

static void
suite_add(struct buf *out, const struct jdoc *run, const struct jdoc *checks, const char *area)
{
    buf_append_text(out, "  <testsuite");
    attribute_add(out, "name", area);
    buf_append_text(out, ">\n    <properties>\n      <property name=\"target\"");
    attribute_add(out, "value", jdoc_get_text(jdoc_get(run, "target"), "bootstrap", ""));
    buf_append_text(out, "/>\n      <property name=\"profile\"");
    attribute_add(out, "value", jdoc_get_text(run, "profile", ""));
    buf_append_text(out, "/>\n      <property name=\"suite\"");
    attribute_add(out, "value", jdoc_get_text(run, "suite", ""));
    buf_printf(out,
        "/>\n      <property name=\"seed\" value=\"%" PRId64 "\"/>\n    </properties>\n",
        jdoc_get_int(run, "seed", 0));
    for (size_t i = 0; i < jdoc_count(checks); i++)
        if (strcmp(jdoc_get_text(jdoc_at(checks, i), "area", ""), area) == 0)
            case_add(out, jdoc_at(checks, i));
    buf_append_text(out, "  </testsuite>\n");
}

void
report_junit_text(const struct jdoc *run, struct buf *out)
{
    const struct jdoc *checks = jdoc_get(run, "checks");

    buf_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kdl "
                         "conformance\">\n");
    for (size_t i = 0; i < jdoc_count(checks); i++)
        if (is_first_of_area(checks, i))
            suite_add(out, run, checks, jdoc_get_text(jdoc_at(checks, i), "area", ""));
    buf_append_text(out, "</testsuites>\n");
}
