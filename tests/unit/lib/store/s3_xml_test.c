#include "lib/store/s3_xml.h"

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define MEGABYTE ((size_t)1 << 20)

static void
note(void *arg, const char *place, const char *text)
{
    buf_printf(arg, "%s=%s;", place, text);
}

static enum rc
read_text(const char *text, struct buf *told, struct err *e)
{
    buf_clear(told);
    return s3_xml_read(text, strlen(text), note, told, e);
}

static void
texts_are_told_with_their_places(void **state)
{
    struct buf told;

    (void)state;
    buf_init(&told, MEGABYTE);
    assert_int_equal(
        read_text(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<List xmlns=\"http://x\">\n  <Truncated>"
            "true</Truncated>\n  <Contents>\n    <Key>a&amp;b &lt;</Key><Size/>\n  </Contents>\n"
            "  <Contents><Key><![CDATA[c]]>d</Key></Contents>\n</List>\n",
            &told, NULL),
        RC_OK);
    assert_string_equal(buf_text(&told),
        "List/Truncated=true;List/Contents/Key=a&b <;List/Contents/Size=;List/Contents/Key=cd;");
    assert_int_equal(read_text("<Error>x</Error>", &told, NULL), RC_OK);
    assert_string_equal(buf_text(&told), "Error=x;");
    buf_fini(&told);
}

static void
what_is_not_well_formed_is_refused(void **state)
{
    static const char *const bad[] = {"", " ", "x", "<a>", "<a></b>", "<a>&x;</a>", "<a/><b/>",
        "<a b=c/>", "<a>\x01</a>", "<a>\xff</a>", "<?xml version=\"1.0\" encoding=\"none\"?><a/>",
        "<!doctype html><html></html>"};
    struct buf told;
    struct err e;

    (void)state;
    buf_init(&told, MEGABYTE);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(read_text(bad[i], &told, &e), RC_PROTOCOL);
        assert_non_null(strstr(e.text, "cannot be read"));
    }
    assert_int_equal(s3_xml_read(NULL, 0, note, &told, &e), RC_PROTOCOL);
    buf_fini(&told);
}

static void
entities_of_the_server_are_refused(void **state)
{
    struct buf told;
    struct err e;

    (void)state;
    buf_init(&told, MEGABYTE);
    assert_int_equal(
        read_text(
            "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>", &told, &e),
        RC_PROTOCOL);
    assert_non_null(strstr(e.text, "document type"));
    assert_int_equal(told.size, 0);
    assert_int_equal(
        read_text("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", &told, &e), RC_PROTOCOL);
    buf_fini(&told);
}

/* `count` times `text` between two ends. */
static enum rc
read_many(const char *begin, const char *text, size_t count, const char *end, struct buf *told)
{
    struct buf document;
    enum rc rc;

    buf_init(&document, 16 * MEGABYTE);
    buf_append_text(&document, begin);
    for (size_t i = 0; i < count; i++)
        buf_append_text(&document, text);
    buf_append_text(&document, end);
    buf_clear(told);
    rc = s3_xml_read(document.data, document.size, note, told, NULL);
    buf_fini(&document);
    return rc;
}

static void
what_is_beyond_the_limits_is_refused(void **state)
{
    struct buf told;

    (void)state;
    buf_init(&told, 16 * MEGABYTE);
    assert_int_equal(read_many("", "<a>", 8, "</a></a></a></a></a></a></a></a>", &told), RC_OK);
    assert_int_equal(read_many("", "<a>", 9, "", &told), RC_PROTOCOL);
    assert_int_equal(read_many("", "<a>", 1000000, "", &told), RC_PROTOCOL);
    assert_int_equal(read_many("<a/", "/", 9, "", &told), RC_PROTOCOL);
    assert_int_equal(read_many("<a><", "b", 300, "/></a>", &told), RC_PROTOCOL);
    assert_int_equal(read_many("<a><", "b", 200, "/></a>", &told), RC_OK);
    assert_int_equal(read_many("<a>", "x", S3_XML_TEXT_BYTES - 1, "</a>", &told), RC_OK);
    assert_int_equal(read_many("<a>", "x", S3_XML_TEXT_BYTES, "</a>", &told), RC_PROTOCOL);
    assert_int_equal(read_many("<a><b/>", " ", 100000, "</a>", &told), RC_OK);
    assert_int_equal(read_many("<a>", "<b>c</b>", 100000, "</a>", &told), RC_OK);
    assert_int_equal(told.size, 100000 * strlen("a/b=c;"));
    buf_fini(&told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_told_with_their_places),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(entities_of_the_server_are_refused),
        cmocka_unit_test(what_is_beyond_the_limits_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
