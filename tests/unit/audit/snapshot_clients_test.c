/* Whom logs and access rules told of, in a snapshot: clients and what they asked, traces of
 * transactions, principals and what they may. */
#include "audit/snapshot_rows.h"
#include "lib/wire/codec.h"
#include "tests/unit/audit/snapshot_rig.h"

static const struct audit_client clients[] = {
    {"shop", "User:alice", "apache-kafka-java", "4.3.1"}, {"bank", "", "", ""}};

static const struct audit_principal principals[] = {{"User:alice", "till-*"}, {"User:bob", NULL}};
static struct err e;

static void
contact_fill(uint32_t topic, uint32_t client)
{
    struct audit_contact *contact = inventory_contact(&inventory, topic, client);

    contact->produces = 1 + client;
    contact->transactional = 2 + client;
    contact->fetches = 3 + topic;
    contact->committed_fetches = UINT64_MAX;
    contact->share_fetches = 5;
    contact->commits = 6;
}

/* Two topics: the shop asks about both, the bank about the second; transactions show in each way
 * once. */
static int
setup(void **state)
{
    (void)state;
    begin_snapshot();
    inventory.cluster_id = "one";
    inventory.watch.looks = 1;
    plain_topic("orders", 2);
    plain_topic("payments", 2);
    for (uint32_t c = 0; c < ARRAY_LEN(clients); c++) {
        assert_int_equal(inventory_add_client(&inventory, &clients[c]), c);
        for (uint32_t t = c; t < 2; t++)
            contact_fill(t, c);
    }
    for (uint32_t p = 0; p < ARRAY_LEN(principals); p++) {
        assert_int_equal(inventory_add_principal(
                             &inventory, principals[p].name, principals[p].transactional_ids),
            p);
        for (uint32_t t = p; t < 2; t++)
            inventory_add_grant(&inventory, t, &(struct audit_grant){p, p == 0, t == 1, NULL});
    }
    inventory_add_transactional_id(&inventory, codec_string("till-7"));
    for (unsigned trace = 0; trace < AUDIT_TRACES; trace++)
        inventory_add_footprint(&inventory, 0, trace % 2, (enum audit_trace)trace);
    if (snapshot_write(&inventory, path, NULL, &e) != RC_OK)
        fail_msg("%s", e.text);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_snapshot();
    return 0;
}

static void
read_again(void)
{
    if (snapshot_read(path, &again, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static void
contacts_compare(const struct audit_topic *a, const struct audit_topic *b)
{
    const struct audit_contact *y = b->contacts;

    assert_int_equal(a->contact_count, b->contact_count);
    for (const struct audit_contact *x = a->contacts; x != NULL; x = x->next, y = y->next) {
        assert_non_null(y);
        assert_int_equal(x->client, y->client);
        assert_int_equal(x->produces, y->produces);
        assert_int_equal(x->transactional, y->transactional);
        assert_int_equal(x->fetches, y->fetches);
        assert_true(x->committed_fetches == y->committed_fetches);
        assert_int_equal(x->share_fetches, y->share_fetches);
        assert_int_equal(x->commits, y->commits);
    }
    assert_null(y);
}

static void
grants_compare(const struct audit_topic *a, const struct audit_topic *b)
{
    const struct audit_grant *y = b->grants;

    assert_int_equal(a->grant_count, b->grant_count);
    for (const struct audit_grant *x = a->grants; x != NULL; x = x->next, y = y->next) {
        assert_non_null(y);
        assert_int_equal(x->principal, y->principal);
        assert_int_equal(x->may_write, y->may_write);
        assert_int_equal(x->may_read, y->may_read);
    }
    assert_null(y);
}

static void
all_of_it_comes_back(void **state)
{
    (void)state;
    read_again();
    assert_int_equal(again.client_count, 2);
    for (uint32_t c = 0; c < 2; c++) {
        assert_string_equal(again.clients[c].id, clients[c].id);
        assert_string_equal(again.clients[c].principal, clients[c].principal);
        assert_string_equal(again.clients[c].software, clients[c].software);
        assert_string_equal(again.clients[c].version, clients[c].version);
    }
    assert_int_equal(again.principal_count, 2);
    assert_string_equal(again.principals[0].name, "User:alice");
    assert_string_equal(again.principals[0].transactional_ids, "till-*");
    assert_null(again.principals[1].transactional_ids);
    for (uint32_t t = 0; t < 2; t++) {
        contacts_compare(&inventory.topics[t], &again.topics[t]);
        grants_compare(&inventory.topics[t], &again.topics[t]);
        for (unsigned trace = 0; trace < AUDIT_TRACES; trace++)
            assert_int_equal(again.topics[t].traces[trace].ids, trace % 2 == t);
    }
}

/* Of kdl before it read request logs: what told of a transaction stood in two columns. */
static void
a_snapshot_of_version_3_is_read(void **state)
{
    (void)state;
    execute(UNDO_VERSION_5 "DELETE FROM footprints WHERE trace > 2;"
                           "ALTER TABLE footprints ADD COLUMN is_past INTEGER NOT NULL DEFAULT 0;"
                           "ALTER TABLE footprints ADD COLUMN is_input INTEGER NOT NULL DEFAULT 0;"
                           "UPDATE footprints SET is_past = trace = 1, is_input = trace = 2;"
                           "ALTER TABLE footprints DROP COLUMN trace;"
                           "DROP TABLE clients; DROP TABLE contacts;"
                           "DELETE FROM probes WHERE probe = 'REQUESTS';"
                           "DELETE FROM schema_version WHERE version > 3;");
    read_again();
    assert_int_equal(again.topics[0].traces[AUDIT_TRACE_OPEN].ids, 1);
    assert_int_equal(again.topics[1].traces[AUDIT_TRACE_PAST].ids, 1);
    assert_int_equal(again.topics[0].traces[AUDIT_TRACE_READ].ids, 1);
    assert_int_equal(again.topics[1].traces[AUDIT_TRACE_REQUESTED].ids, 0);
    assert_int_equal(again.client_count, 0);
    /* Nobody has to give a log: that there was none is not said. */
    assert_null(again.gaps[AUDIT_REQUESTS].why);
}

static void
contradictions_are_found(void **state)
{
    static const char *const damages[] = {
        "UPDATE clients SET client = 7 WHERE client = 1",
        "UPDATE clients SET principal = 'a' || char(0) || 'b'",
        "UPDATE clients SET id = 'twice', principal = '', software = '', version = ''",
        "UPDATE contacts SET client = 2",
        "UPDATE contacts SET topic = 2 WHERE topic = 1",
        "UPDATE principals SET number = 7 WHERE number = 1",
        "UPDATE principals SET name = 'a' || char(0) || 'b'",
        "UPDATE grants SET principal = 2",
        "UPDATE grants SET topic = 2 WHERE topic = 1",
        "UPDATE footprints SET trace = -1",
        "UPDATE footprints SET trace = 99",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        assert_int_equal(remove(path), 0);
        assert_int_equal(snapshot_write(&inventory, path, NULL, &e), RC_OK);
        execute(damages[i]);
        inventory_fini(&again);
        inventory_init(&again);
        if (snapshot_read(path, &again, &e) != RC_CORRUPT)
            fail_msg("%s: %s", damages[i], e.text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_it_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_snapshot_of_version_3_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(contradictions_are_found, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
