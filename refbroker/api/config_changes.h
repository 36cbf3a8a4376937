/*
 * config_changes: what IncrementalAlterConfigs asks for, judged, and made changes of the catalog
 * (ConfigAdminManager, ConfigurationControlManager, KIP-339).
 *
 * Changes own their texts, since they outlive the request. A refused resource changes nothing.
 */
#ifndef REFBROKER_API_CONFIG_CHANGES_H
#define REFBROKER_API_CONFIG_CHANGES_H

#include "gen/messages.h"
#include "refbroker/broker.h"

/* config_operation of a request */
enum { OPERATION_SET, OPERATION_DELETE, OPERATION_APPEND, OPERATION_SUBTRACT };

/* What is wrong with a resource; code 0: nothing. The text lives as long as the request. */
struct config_refusal {
    int16_t code;
    const char *text;
};

struct config_change {
    enum resource_type type;
    struct wire_uuid topic_id; /* of a topic */
    char *resource;            /* of what is none */
    int32_t index;             /* of the resource in the answer */
    char *name;
    char *value; /* NULL: back to the default */
};

struct config_changes {
    struct broker *broker;
    struct request *request; /* for config_changes_read only */
    struct config_change *items;
    size_t count;
};

/* config_changes_init has room for `most` changes: all configs of all resources that are read. */
void config_changes_init(
    struct config_changes *changes, struct broker *broker, struct request *request, size_t most);
void config_changes_fini(struct config_changes *changes);

/* config_changes_refuse fills in a refusal; the text is copied, NULL is none. */
void config_changes_refuse(
    struct request *request, struct config_refusal *out, int16_t code, const char *text);

/* config_changes_read checks one resource and appends its changes, or says what is wrong. */
void config_changes_read(struct config_changes *changes,
    const struct km_incremental_alter_configs_request_alter_configs_resource *in, int32_t index,
    struct config_refusal *out);

/* config_changes_apply writes them inside a job of the catalog; config_changes_take_effect follows
 * when that is durable. */
MUST_CHECK enum rc config_changes_apply(
    const struct config_changes *changes, struct catalog *catalog, struct err *e);
void config_changes_take_effect(const struct config_changes *changes);

#endif
