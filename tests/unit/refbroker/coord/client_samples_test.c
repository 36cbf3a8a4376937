/* What clients pushed, as Prometheus reads it. */
#include "refbroker/coord/client_samples.h"

#include <math.h>

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define ARENA_BYTES ((size_t)1 << 16)
#define TEXT_BYTES ((size_t)64 << 20)

struct rig {
    struct client_samples samples;
    struct client_samples_owner owners[2];
    struct arena arena;
    struct buf out;
};

static const struct client_traits nobody;
static struct rig rig;

static int
setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    client_samples_init(&rig.samples);
    arena_init(&rig.arena, ARENA_BYTES);
    buf_init(&rig.out, TEXT_BYTES);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rig.owners); i++)
        client_samples_drop(&rig.samples, &rig.owners[i]);
    assert_int_equal(rig.samples.count, 0);
    assert_int_equal(rig.samples.bytes, 0);
    assert_int_equal(map_count(&rig.samples.families), 0);
    client_samples_fini(&rig.samples);
    arena_fini(&rig.arena);
    buf_fini(&rig.out);
    return 0;
}

static struct wire_string
text(const char *text)
{
    return (struct wire_string){text, (int32_t)strlen(text)};
}

static struct otlp_point
point(const char *name, double value)
{
    return (struct otlp_point){.name = text(name), .value = value};
}

static bool
put(size_t owner, const struct otlp_point *from, const struct client_traits *traits)
{
    struct client_sample sample;
    bool kept;

    arena_reset(&rig.arena);
    kept = client_samples_name(from, traits, &rig.arena, &sample) &&
           client_samples_put(&rig.samples, &rig.owners[owner], &sample);
    return kept;
}

static const char *
written(void)
{
    buf_clear(&rig.out);
    client_samples_write(&rig.samples, &rig.out);
    return buf_text(&rig.out);
}

static void
a_value_has_name_labels_and_type(void **state)
{
    static const struct client_traits traits = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "anna",
                                                    [CLIENT_TRAIT_INSTANCE_ID] = "AAAA",
                                                    [CLIENT_TRAIT_SOFTWARE_NAME] = "java",
                                                    [CLIENT_TRAIT_SOFTWARE_VERSION] = "4.3",
                                                    [CLIENT_TRAIT_SOURCE_PORT] = "1"}};
    struct otlp_attribute attributes[] = {
        {text("topic"), text("orders")}, {text("a.b"), text("x")}};
    struct otlp_point sent = point("org.apache.kafka.producer.record.send.total", 25);

    (void)state;
    sent.attributes = attributes;
    sent.attribute_count = ARRAY_LEN(attributes);
    sent.counter = true;
    assert_true(put(0, &sent, &traits));
    assert_string_equal(written(),
        "# TYPE client_org_apache_kafka_producer_record_send_total counter\n"
        "client_org_apache_kafka_producer_record_send_total{a_b=\"x\",client_id=\"anna\","
        "client_instance_id=\"AAAA\",client_software_name=\"java\",client_software_version=\"4.3\","
        "topic=\"orders\"} 25\n");
}

static void
the_last_value_counts_and_what_is_added_adds_up(void **state)
{
    struct otlp_point now = point("now", 1), more = point("more", 10);

    (void)state;
    more.adds = true;
    assert_true(put(0, &now, &nobody));
    assert_true(put(0, &more, &nobody));
    now.value = 0.5;
    more.value = 2.25;
    assert_true(put(0, &now, &nobody));
    assert_true(put(0, &more, &nobody));
    assert_string_equal(written(), "# TYPE client_now gauge\nclient_now 0.5\n"
                                   "# TYPE client_more gauge\nclient_more 12.25\n");
}

static void
values_of_one_name_stand_together_and_go_with_their_client(void **state)
{
    static const struct client_traits anna = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "anna"}};
    static const struct client_traits eva = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "eva"}};
    struct otlp_point a = point("a", 1), b = point("b", 2);

    (void)state;
    assert_true(put(0, &a, &anna));
    assert_true(put(0, &b, &anna));
    assert_true(put(1, &a, &eva));
    assert_string_equal(written(),
        "# TYPE client_a gauge\nclient_a{client_id=\"anna\"} 1\nclient_a{client_id=\"eva\"} 1\n"
        "# TYPE client_b gauge\nclient_b{client_id=\"anna\"} 2\n");
    client_samples_drop(&rig.samples, &rig.owners[0]);
    assert_string_equal(written(), "# TYPE client_a gauge\nclient_a{client_id=\"eva\"} 1\n");
}

static void
a_name_has_the_type_with_which_it_came_first(void **state)
{
    struct otlp_point first = point("a", 1), second = point("a", 2);

    (void)state;
    second.counter = true;
    assert_true(put(0, &first, &nobody));
    assert_true(put(1, &second, &nobody));
    assert_non_null(strstr(written(), "# TYPE client_a gauge\n"));
    assert_null(strstr(written(), "counter"));
}

static void
names_become_what_prometheus_allows(void **state)
{
    struct otlp_attribute attributes[] = {{text("9 lives"), text("x")},
        {text("__name__"), text("y")}, {text("___"), text("z")}, {text("empty"), text("")},
        {text("a\n\xff"), text("w")}};
    struct otlp_point odd = point("a{b}\n\"c\xc3\xa4", 1), none = point("", 1);

    (void)state;
    odd.attributes = attributes;
    odd.attribute_count = ARRAY_LEN(attributes);
    assert_true(put(0, &odd, &nobody));
    assert_string_equal(written(), "# TYPE client_a_b___c__ gauge\n"
                                   "client_a_b___c__{a__=\"w\",lives=\"x\",name__=\"y\"} 1\n");
    assert_false(put(0, &none, &nobody));
}

static void
labels_are_valid_utf8_with_escapes(void **state)
{
    static const struct {
        const char *sent;
        const char *shown;
    } cases[] = {
        {"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xba", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\xba"},
        {"\r\x01\x7f\t", "????"},
        {"\xff\x80z", "??z"},
        {"\xc0\xaf", "??"},           /* an overlong slash */
        {"\xe0\x80\xaf", "???"},      /* another one */
        {"\xed\xa0\x80", "???"},      /* half a pair */
        {"\xf4\x90\x80\x80", "????"}, /* above all characters */
        {"\xe2\x82", "??"},           /* cut */
        {"\xe2\"", "?\\\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct otlp_attribute attribute = {text("k"), text(cases[i].sent)};
        struct otlp_point odd = point("a", 1);
        char wanted[200];

        odd.attributes = &attribute;
        odd.attribute_count = 1;
        client_samples_drop(&rig.samples, &rig.owners[0]);
        assert_true(put(0, &odd, &nobody));
        snprintf(
            wanted, sizeof wanted, "# TYPE client_a gauge\nclient_a{k=\"%s\"} 1\n", cases[i].shown);
        assert_string_equal(written(), wanted);
    }
}

static void
a_zero_byte_ends_nothing(void **state)
{
    struct otlp_attribute attribute = {{"k\0l", 3}, {"x\0y", 3}};
    struct otlp_point odd = {.name = {"a\0b", 3}, .attributes = &attribute, .attribute_count = 1};

    (void)state;
    assert_true(put(0, &odd, &nobody));
    assert_string_equal(written(), "# TYPE client_a_b gauge\nclient_a_b{k_l=\"x?y\"} 0\n");
}

static void
what_a_client_says_of_itself_does_not_hide_what_is_known(void **state)
{
    static const struct client_traits anna = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "anna"}};
    struct otlp_attribute attributes[] = {
        {text("client_id"), text("eva")}, {text("client.id"), text("eva")}};
    struct otlp_point a = point("a", 1);

    (void)state;
    a.attributes = attributes;
    a.attribute_count = ARRAY_LEN(attributes);
    assert_true(put(0, &a, &anna));
    assert_string_equal(written(), "# TYPE client_a gauge\nclient_a{client_id=\"anna\"} 1\n");
}

static void
numbers_are_those_that_came(void **state)
{
    static const double values[] = {0, -1, 0.1, 1.0 / 3, 1e300, 5e-324, 9007199254740993.0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct otlp_point a = point("a", values[i]);

        assert_true(put(0, &a, &nobody));
        assert_true(strtod(strrchr(written(), ' '), NULL) == values[i]);
    }
}

static void
there_are_numbers_that_are_none(void **state)
{
    struct otlp_point nan = point("a", NAN), up = point("b", INFINITY),
                      down = point("c", -INFINITY);

    (void)state;
    assert_true(put(0, &nan, &nobody));
    assert_true(put(0, &up, &nobody));
    assert_true(put(0, &down, &nobody));
    assert_non_null(strstr(written(), "client_a NaN\n"));
    assert_non_null(strstr(written(), "client_b +Inf\n"));
    assert_non_null(strstr(written(), "client_c -Inf\n"));
}

static void
there_is_an_end_to_the_number_of_values(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < CLIENT_SAMPLES_MAX; i++) {
        struct otlp_point a;

        snprintf(name, sizeof name, "a%d", i);
        a = point(name, 1);
        assert_true(put(0, &a, &nobody));
    }
    assert_false(put(0, &(struct otlp_point){.name = text("more")}, &nobody));
    assert_true(put(0, &(struct otlp_point){.name = text("a0"), .value = 2}, &nobody));
    client_samples_drop(&rig.samples, &rig.owners[0]);
    assert_true(put(0, &(struct otlp_point){.name = text("more")}, &nobody));
}

static void
there_is_an_end_to_the_bytes_of_values(void **state)
{
    char filler[1000];
    struct otlp_attribute attributes[OTLP_ATTRIBUTES_MAX];
    int count = 0;

    (void)state;
    memset(filler, 'x', sizeof filler);
    for (;; count++) {
        struct otlp_point a = point("a", 1);
        char keys[OTLP_ATTRIBUTES_MAX][16], unique[16];

        snprintf(unique, sizeof unique, "%d", count);
        for (size_t k = 0; k < ARRAY_LEN(attributes); k++) {
            snprintf(keys[k], sizeof keys[k], "k%zu", k);
            attributes[k] = (struct otlp_attribute){
                text(keys[k]), k == 0 ? text(unique) : (struct wire_string){filler, sizeof filler}};
        }
        a.attributes = attributes;
        a.attribute_count = ARRAY_LEN(attributes);
        if (!put(0, &a, &nobody))
            break;
    }
    assert_true(rig.samples.bytes <= CLIENT_SAMPLES_BYTES_MAX);
    assert_true(rig.samples.bytes > CLIENT_SAMPLES_BYTES_MAX - 10000);
    assert_true(count < CLIENT_SAMPLES_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_has_name_labels_and_type, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_last_value_counts_and_what_is_added_adds_up, setup, teardown),
        cmocka_unit_test_setup_teardown(
            values_of_one_name_stand_together_and_go_with_their_client, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_name_has_the_type_with_which_it_came_first, setup, teardown),
        cmocka_unit_test_setup_teardown(names_become_what_prometheus_allows, setup, teardown),
        cmocka_unit_test_setup_teardown(labels_are_valid_utf8_with_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zero_byte_ends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_a_client_says_of_itself_does_not_hide_what_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_are_those_that_came, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_numbers_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_the_number_of_values, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_the_bytes_of_values, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
