/* Keys of share groups' partitions, as Kafka's SharePartitionKey and Uuid read them. */
#include "refbroker/coord/share_key.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define ID "AAECAwQFBgcICQoLDA0ODw"

static bool
is_text(const char *text)
{
    return share_key_is_text((struct wire_string){text, (int32_t)strlen(text)});
}

static void
a_key_is_group_topic_id_and_partition(void **state)
{
    struct share_key key = {.group_id = "g:1", .partition = -7};
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof key.topic_id.bytes; i++)
        key.topic_id.bytes[i] = (uint8_t)i;
    text = share_key_text(&key);
    assert_string_equal(text, "g:1:" ID ":-7");
    assert_true(is_text(text));
    free(text);
}

static void
what_kafka_takes_for_a_key_is_one(void **state)
{
    static const char *const keys[] = {"g:" ID ":0", "g:" ID "==:0", "a:b:c:" ID ":5",
        ": :" ID ":0", "::" ID ":0", "g:" ID ":+5", "g:" ID ":-2147483648", "g:" ID ":2147483647",
        "g:" ID ":0:::", "g:" ID ":0000000000000000005", "g:__________________-_-_:1",
        "g:AAECAwQFBgcICQoLDA0ODz:0", "gr\xc3\xbc\xc3\x9f:" ID ":0"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!is_text(keys[i]))
            fail_msg("%s", keys[i]);
}

static void
what_kafka_refuses_is_none(void **state)
{
    static const char *const keys[] = {"", ":", ":::", "g", "g:" ID, "g:" ID ":", ":" ID ":0",
        "  :" ID ":0", "g::0", "g:" ID "=:0", "g:" ID "A:0", "g:" ID "===:0",
        "g:AAECAwQFBgcICQoLDA0OD:0", "g:AAECAwQFBgcICQoLDA0OD+:0", "g:AAECAwQFBgcICQoLDA0ODw= :0",
        "g:" ID ":x", "g:" ID ":1x", "g:" ID ":-", "g:" ID ":+", "g:" ID ": 1",
        "g:" ID ":2147483648", "g:" ID ":-2147483649", "g:" ID ":99999999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_text(keys[i]))
            fail_msg("%s", keys[i]);
    assert_false(share_key_is_text((struct wire_string){NULL, -1}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_group_topic_id_and_partition),
        cmocka_unit_test(what_kafka_takes_for_a_key_is_one),
        cmocka_unit_test(what_kafka_refuses_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
