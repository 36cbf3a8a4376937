#include "conformance/minimal.h"

#include "lib/wire/codec.h"

/* Kafka's own APIs are below; what a product adds has numbers from here on. */
#define PRIVATE_KEY_MIN 1000
#define FILTER_ANY 1
#define NO_SUCH_BROKER INT32_MAX
#define NO_SUCH_CLUSTER "kc-no-such-cluster"
#define NO_SUCH_TRANSACTION "kc-no-such-transaction"
#define ADD_MANY_VERSION 4
#define AUTO_CREATION_VERSION 4

/* Kafka 4.3 never answers a list of no transactions. */
static void
transaction_add(struct kc *kc, int16_t version, struct km_add_partitions_to_txn_request *body)
{
    struct km_add_partitions_to_txn_request_transaction *one = kc_alloc(kc, 1, sizeof *one);

    if (version < ADD_MANY_VERSION)
        return;
    codec_init(&km_add_partitions_to_txn_request_transaction_desc, one);
    one->transactional_id = kc_string(NO_SUCH_TRANSACTION);
    one->verify_only = true;
    body->transactions.items = one;
    body->transactions.count = 1;
}

/* Defaults that would do something, wait for something, or are refused by closing. */
static void
defaults_tame(struct kc *kc, const struct wire_api *api, int16_t version, void *body)
{
    switch (api->key) {
    case KM_PRODUCE:
        ((struct km_produce_request *)body)->acks = -1;
        break;
    case KM_LIST_OFFSETS:
        ((struct km_list_offsets_request *)body)->replica_id = -1;
        break;
    case KM_METADATA:
        ((struct km_metadata_request *)body)->allow_auto_topic_creation =
            version < AUTO_CREATION_VERSION;
        break;
    case KM_ADD_PARTITIONS_TO_TXN:
        transaction_add(kc, version, body);
        break;
    case KM_API_VERSIONS:
        ((struct km_api_versions_request *)body)->client_software_name = kc_string("kdl");
        ((struct km_api_versions_request *)body)->client_software_version = kc_string("1");
        break;
    case KM_DESCRIBE_ACLS:
        ((struct km_describe_acls_request *)body)->resource_type_filter = FILTER_ANY;
        ((struct km_describe_acls_request *)body)->operation = FILTER_ANY;
        ((struct km_describe_acls_request *)body)->permission_type = FILTER_ANY;
        break;
    case KM_ELECT_LEADERS:
        ((struct km_elect_leaders_request *)body)->topic_partitions.count = 0;
        break;
    case KM_UNREGISTER_BROKER:
        ((struct km_unregister_broker_request *)body)->broker_id = NO_SUCH_BROKER;
        break;
    case KM_ADD_RAFT_VOTER:
        ((struct km_add_raft_voter_request *)body)->cluster_id = kc_string(NO_SUCH_CLUSTER);
        break;
    case KM_REMOVE_RAFT_VOTER:
        ((struct km_remove_raft_voter_request *)body)->cluster_id = kc_string(NO_SUCH_CLUSTER);
        break;
    default:
        break;
    }
}

const void *
minimal_body(struct kc *kc, const struct wire_api *api, int16_t version)
{
    void *body = kc_alloc(kc, 1, api->request->body->size);

    if (api->key >= PRIVATE_KEY_MIN)
        return NULL;
    codec_init(api->request->body, body);
    defaults_tame(kc, api, version, body);
    return body;
}
