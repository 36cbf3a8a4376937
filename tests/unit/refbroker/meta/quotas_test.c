/* Which quota holds for whom, and which can be set. */
#include "refbroker/meta/quotas.h"

#include <math.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define KEY_BYTES_MAX 1000

static const struct wire_string of_all = {NULL, -1};

static struct wire_string
text(const char *string)
{
    return (struct wire_string){string, (int32_t)strlen(string)};
}

/* NULL: the entity has no such part; "*": the default. */
static struct quota_entity
entity_of(const char *user, const char *client_id, const char *ip)
{
    const char *names[] = {
        [QUOTA_PART_CLIENT_ID] = client_id, [QUOTA_PART_IP] = ip, [QUOTA_PART_USER] = user};
    struct quota_entity entity = {0};

    for (size_t i = 0; i < QUOTA_PART_COUNT; i++) {
        entity.has[i] = names[i] != NULL;
        if (names[i] != NULL)
            entity.names[i] = strcmp(names[i], "*") == 0 ? of_all : text(names[i]);
    }
    return entity;
}

static void
set_of(struct quotas *quotas, const struct quota_entity *entity, enum quota_name name, double value)
{
    struct buf key;
    struct err e;

    buf_init(&key, KEY_BYTES_MAX);
    quotas_entity_key(entity, &key);
    if (value > 0)
        assert_int_equal(quotas_set(quotas, key.data, key.size, name, value, &e), RC_OK);
    else
        quotas_remove(quotas, key.data, key.size, name);
    buf_fini(&key);
}

static void
set(struct quotas *quotas, const char *user, const char *client_id, double value)
{
    struct quota_entity entity = entity_of(user, client_id, NULL);

    set_of(quotas, &entity, QUOTA_PRODUCER_BYTE_RATE, value);
}

static void
set_address(struct quotas *quotas, const char *address, double value)
{
    struct quota_entity entity = entity_of(NULL, NULL, address);

    set_of(quotas, &entity, QUOTA_CONNECTION_CREATION_RATE, value);
}

static double
in_force(const struct quotas *quotas)
{
    const struct quota *quota =
        quotas_in_force(quotas, QUOTA_PRODUCER_BYTE_RATE, text("u"), text("c"));

    return quota == NULL ? 0 : quota->values[QUOTA_PRODUCER_BYTE_RATE];
}

static void
the_nearest_entity_counts(void **state)
{
    static const struct {
        const char *user;
        const char *client_id;
    } order[] = {{NULL, "*"}, {NULL, "c"}, {"*", NULL}, {"*", "*"}, {"*", "c"}, {"u", NULL},
        {"u", "*"}, {"u", "c"}};
    struct quotas quotas;

    (void)state;
    quotas_init(&quotas);
    assert_true(in_force(&quotas) == 0);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        set(&quotas, order[i].user, order[i].client_id, (double)i + 1);
        assert_true(in_force(&quotas) == (double)i + 1);
        assert_null(quotas_in_force(&quotas, QUOTA_CONSUMER_BYTE_RATE, text("u"), text("c")));
    }
    set(&quotas, "another", "c", 99);
    set(&quotas, "u", "another", 99);
    for (size_t i = ARRAY_LEN(order); i > 0; i--) {
        assert_true(in_force(&quotas) == (double)i);
        set(&quotas, order[i - 1].user, order[i - 1].client_id, 0);
    }
    assert_true(in_force(&quotas) == 0);
    quotas_fini(&quotas);
}

static double
address_in_force(const struct quotas *quotas, const char *address)
{
    const struct quota *quota =
        quotas_in_force_address(quotas, QUOTA_CONNECTION_CREATION_RATE, text(address));

    return quota == NULL ? 0 : quota->values[QUOTA_CONNECTION_CREATION_RATE];
}

static void
an_address_has_its_own_or_the_default(void **state)
{
    struct quotas quotas;

    (void)state;
    quotas_init(&quotas);
    assert_true(address_in_force(&quotas, "10.0.0.1") == 0);
    set(&quotas, "*", "*", 5);
    set_address(&quotas, "10.0.0.1", 1);
    assert_true(address_in_force(&quotas, "10.0.0.1") == 1);
    assert_true(address_in_force(&quotas, "10.0.0.2") == 0);
    set_address(&quotas, "*", 2);
    assert_true(address_in_force(&quotas, "10.0.0.1") == 1);
    assert_true(address_in_force(&quotas, "10.0.0.2") == 2);
    assert_true(address_in_force(&quotas, "127.0.0.1") == 2);
    set_address(&quotas, "localhost", 3);
    assert_true(address_in_force(&quotas, "127.0.0.1") == 3);
    assert_true(address_in_force(&quotas, "127.0.0.2") == 2);
    set_address(&quotas, "127.0.0.1", 4);
    assert_true(address_in_force(&quotas, "127.0.0.1") == 4);
    quotas_fini(&quotas);
}

static void
an_entity_goes_with_its_last_quota(void **state)
{
    struct quota_entity entity = entity_of("u", NULL, NULL);
    struct quotas quotas;

    (void)state;
    quotas_init(&quotas);
    set(&quotas, "u", NULL, 1);
    set(&quotas, "u", NULL, 2);
    assert_int_equal(quotas.set_count[QUOTA_PRODUCER_BYTE_RATE], 1);
    assert_true(quotas_find(&quotas, &entity)->values[QUOTA_PRODUCER_BYTE_RATE] == 2);
    set(&quotas, "u", NULL, 0);
    set(&quotas, "u", NULL, 0);
    assert_null(quotas_find(&quotas, &entity));
    assert_int_equal(quotas.set_count[QUOTA_PRODUCER_BYTE_RATE], 0);
    quotas_fini(&quotas);
}

/* However many there are, a start takes what the catalog has. */
static void
more_than_may_be_added_can_be_read(void **state)
{
    struct quotas quotas;
    char name[16];

    (void)state;
    quotas_init(&quotas);
    for (int i = 0; i <= QUOTAS_ENTITIES_MAX; i++) {
        snprintf(name, sizeof name, "u%d", i);
        set(&quotas, name, NULL, 1);
    }
    assert_int_equal(map_count(&quotas.by_entity), QUOTAS_ENTITIES_MAX + 1);
    quotas_fini(&quotas);
}

static void
names_do_not_run_into_each_other(void **state)
{
    struct quota_entity one = entity_of("ab", "c", NULL), other = entity_of("a", "bc", NULL);
    struct quota_entity of_default = entity_of("*", NULL, NULL);
    struct buf a, b;

    (void)state;
    buf_init(&a, KEY_BYTES_MAX);
    buf_init(&b, KEY_BYTES_MAX);
    quotas_entity_key(&one, &a);
    quotas_entity_key(&other, &b);
    assert_false(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    buf_fini(&b);
    buf_init(&b, KEY_BYTES_MAX);
    quotas_entity_key(&of_default, &b);
    assert_int_equal(b.size, 4);
    buf_fini(&a);
    buf_fini(&b);
}

static void
a_key_that_is_none_is_corrupt(void **state)
{
    static const uint8_t keys[][8] = {
        {9, 'n', 0, 1, 'x'},          /* a part that there is not */
        {2, 'x', 0, 1, 'x'},          /* a name of no kind */
        {2, 'n', 0, 9, 'x'},          /* longer than it is */
        {2, 'd', 0, 0, 2, 'd', 0, 0}, /* a part twice */
    };
    static const size_t sizes[] = {5, 5, 5, 8};
    struct quotas quotas;
    struct err e;

    (void)state;
    quotas_init(&quotas);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        for (size_t size = 0; size <= sizes[i]; size++)
            assert_int_equal(quotas_set(&quotas, keys[i], size, QUOTA_PRODUCER_BYTE_RATE, 1, &e),
                i == 3 && size == 4 ? RC_OK : RC_CORRUPT);
    quotas_fini(&quotas);
}

static void
refused(const struct quota_entity *entity, const char *name, double value, const char *why)
{
    enum rc rc;
    struct err e;

    rc = quotas_entity_check(entity, &e);
    if (rc == RC_OK)
        rc = quotas_value_check(entity, text(name), value, &e);
    assert_int_equal(rc, why == NULL ? RC_OK : RC_CONFIG);
    if (why != NULL)
        assert_string_equal(e.text, why);
}

static void
values_are_judged_as_kafka_does(void **state)
{
    struct quota_entity user = entity_of("u", NULL, NULL), address = entity_of(NULL, NULL, "::1");
    struct quota_entity nobody = entity_of(NULL, NULL, NULL), empty = entity_of("", NULL, NULL);
    struct quota_entity mixed = entity_of("u", NULL, "::1");
    struct quota_entity no_address = entity_of(NULL, NULL, "300.1.1.1");
    struct quota_entity all_addresses = entity_of(NULL, NULL, "*");

    (void)state;
    refused(&user, "producer_byte_rate", 1, NULL);
    refused(&user, "request_percentage", 0.5, NULL);
    refused(&address, "connection_creation_rate", 5, NULL);
    refused(&all_addresses, "connection_creation_rate", 5, NULL);
    refused(&nobody, "producer_byte_rate", 1, "Invalid empty client quota entity");
    refused(&empty, "producer_byte_rate", 1, "Empty user not supported");
    refused(&no_address, "connection_creation_rate", 1,
        "300.1.1.1 is not a valid IP or resolvable host.");
    refused(&mixed, "connection_creation_rate", 1,
        "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId");
    refused(&address, "producer_byte_rate", 1, "Invalid configuration key producer_byte_rate");
    refused(
        &user, "connection_creation_rate", 1, "Invalid configuration key connection_creation_rate");
    refused(&user, "producer_byte_rate", 0, "Quota producer_byte_rate must be greater than 0");
    refused(&user, "producer_byte_rate", NAN, "Quota producer_byte_rate must be greater than 0");
    refused(&user, "request_percentage", NAN, "Quota request_percentage must be greater than 0");
    refused(&user, "producer_byte_rate", 1.5, "producer_byte_rate cannot be a fractional value.");
    refused(&user, "producer_byte_rate", 1e30,
        "Proposed value for producer_byte_rate is too large for a LONG.");
    refused(&address, "connection_creation_rate", 1e10,
        "Proposed value for connection_creation_rate is too large for an INT.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_entity_counts),
        cmocka_unit_test(an_address_has_its_own_or_the_default),
        cmocka_unit_test(an_entity_goes_with_its_last_quota),
        cmocka_unit_test(more_than_may_be_added_can_be_read),
        cmocka_unit_test(names_do_not_run_into_each_other),
        cmocka_unit_test(a_key_that_is_none_is_corrupt),
        cmocka_unit_test(values_are_judged_as_kafka_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
