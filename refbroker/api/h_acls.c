/*
 * ACLs (KIP-140, KIP-290; AclApis, AclControlManager): DescribeAcls, CreateAcls, DeleteAcls.
 *
 * Without authorizer.class.name this broker has no authorizer, and says so as Kafka does. With it
 * the rules are kept and described; the changes of a request are one transaction of the catalog.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

#define NO_AUTHORIZER "No Authorizer is configured."
#define KEY_BYTES_MAX ((size_t)3 * 32770 + 64)

typedef struct km_describe_acls_response_resource resource_out;
typedef struct km_describe_acls_response_acl_description description;
typedef struct km_delete_acls_response_matching_acl matching_out;

static bool
is_kept(const struct broker *broker)
{
    return broker->options.authorizer != 0;
}

/* Texts of the rules change while answers wait; those of an answer are its own. */
static struct wire_string
copy(struct request *request, struct wire_string text)
{
    if (text.size > 0)
        text.data = arena_dup(&request->arena, text.data, (size_t)text.size);
    return text;
}

/* --- DescribeAcls ----------------------------------------------------------------------------- */

static int
by_resource(const void *a, const void *b)
{
    const struct acl *x = &(*(const struct acl_entry *const *)a)->acl;
    const struct acl *y = &(*(const struct acl_entry *const *)b)->acl;
    int32_t size = x->resource.size < y->resource.size ? x->resource.size : y->resource.size;
    int order = x->resource_type - y->resource_type;

    if (order == 0)
        order = x->pattern_type - y->pattern_type;
    if (order == 0 && size > 0)
        order = memcmp(x->resource.data, y->resource.data, (size_t)size);
    return order != 0 ? order : x->resource.size - y->resource.size;
}

/* The rules that a filter means, those of one resource together; NULL: no memory. */
static const struct acl_entry **
matching(struct broker *broker, struct request *request, const struct acl *filter, size_t *count)
{
    const struct acl_entry **list = arena_array(
        &request->arena, map_count(&broker->acls.by_key) + 1, sizeof(struct acl_entry *));
    const struct acl_entry *entry;
    size_t position = 0;

    *count = 0;
    while (list != NULL && (entry = acls_next(&broker->acls, &position)) != NULL)
        if (acls_match(filter, &entry->acl))
            list[(*count)++] = entry;
    if (list != NULL)
        qsort(list, *count, sizeof(struct acl_entry *), by_resource);
    return list;
}

enum h_result
h_describe_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_acls_request *in = in_;
    struct km_describe_acls_response *out = out_;
    struct acl filter = {in->resource_type_filter, in->pattern_type_filter, in->operation,
        in->permission_type, in->resource_name_filter, in->principal_filter, in->host_filter};
    const struct acl_entry **list;
    description *items;
    size_t count;

    if (!is_kept(broker)) {
        out->error_code = KE_SECURITY_DISABLED;
        out->error_message = request_text(NO_AUTHORIZER);
        return H_DONE;
    }
    list = matching(broker, request, &filter, &count);
    out->error_message = request_text("");
    out->resources.items =
        codec_array(&request->arena, &km_describe_acls_response_resource_desc, (int32_t)count);
    items = codec_array(
        &request->arena, &km_describe_acls_response_acl_description_desc, (int32_t)count);
    if (arena_is_full(&request->arena))
        return H_CLOSE;
    for (size_t i = 0; i < count; i++) {
        const struct acl *acl = &list[i]->acl;
        resource_out *resource = &out->resources.items[out->resources.count];

        if (i == 0 || by_resource(&list[i - 1], &list[i]) != 0) {
            out->resources.count++;
            resource->resource_type = acl->resource_type;
            resource->pattern_type = acl->pattern_type;
            resource->resource_name = copy(request, acl->resource);
            resource->acls.items = &items[i];
        } else {
            resource--;
        }
        resource->acls.count++;
        items[i] = (description){.principal = copy(request, acl->principal),
            .host = copy(request, acl->host),
            .operation = acl->operation,
            .permission_type = acl->permission_type};
    }
    return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
}

/* --- changes ---------------------------------------------------------------------------------- */

struct change {
    uint8_t *key;
    size_t key_size;
};

struct acl_alteration {
    struct alteration alteration; /* first */
    struct change *changes;
    size_t count;
    bool remove;
};

static enum rc
changes_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct acl_alteration *job = (const void *)alteration;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc =
            catalog_put_acl(catalog, job->changes[i].key, job->changes[i].key_size, job->remove, e);
    return rc;
}

static enum rc
changes_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct acl_alteration *job = (const void *)alteration;
    struct acls *acls = &alteration->broker->acls;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        if (job->remove)
            acls_remove(acls, job->changes[i].key, job->changes[i].key_size);
        else
            rc = acls_add(acls, job->changes[i].key, job->changes[i].key_size, e);
    return rc;
}

static void
complain(const struct err *e)
{
    log_error("ACLS", "%s", e->text);
}

static void
alteration_free(struct alteration *alteration)
{
    struct acl_alteration *job = (void *)alteration;

    for (size_t i = 0; i < job->count; i++)
        free(job->changes[i].key);
    free(job->changes);
    free(job);
}

static struct acl_alteration *
alteration_new(struct broker *broker, struct request *request, const struct alteration_kind *kind,
    size_t most, bool remove)
{
    struct acl_alteration *job = xcalloc(1, sizeof *job);

    alteration_init(&job->alteration, kind, broker, request);
    job->remove = remove;
    job->changes = xcalloc(most, sizeof *job->changes);
    return job;
}

static void
creations_fail(const struct alteration *alteration, void *out_)
{
    struct km_create_acls_response *out = out_;

    (void)alteration;
    for (int32_t i = 0; i < out->results.count; i++)
        if (out->results.items[i].error_code == KE_NONE)
            out->results.items[i].error_code = KE_KAFKA_STORAGE_ERROR;
}

static const struct alteration_kind creation = {
    changes_write, changes_take_effect, complain, creations_fail, alteration_free};

enum h_result
h_create_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_create_acls_request *in = in_;
    struct km_create_acls_response *out = out_;
    size_t kept = map_count(&broker->acls.by_key), room = kept < ACLS_MAX ? ACLS_MAX - kept : 0;
    struct acl_alteration *job;

    out->results.items = codec_array(
        &request->arena, &km_create_acls_response_acl_creation_result_desc, in->creations.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    out->results.count = in->creations.count;
    job = alteration_new(broker, request, &creation, (size_t)in->creations.count, false);
    for (int32_t i = 0; i < in->creations.count; i++) {
        const struct km_create_acls_request_acl_creation *from = &in->creations.items[i];
        struct km_create_acls_response_acl_creation_result *to = &out->results.items[i];
        struct acl acl = {from->resource_type, from->resource_pattern_type, from->operation,
            from->permission_type, from->resource_name, from->principal, from->host};
        struct buf key;
        struct err e;

        to->error_code = is_kept(broker) ? acls_check(&acl, &e) : KE_SECURITY_DISABLED;
        to->error_message = request_text(is_kept(broker) ? "" : NO_AUTHORIZER);
        if (is_kept(broker) && to->error_code == KE_NONE && job->count >= room)
            to->error_code = KE_POLICY_VIOLATION;
        else if (is_kept(broker) && to->error_code != KE_NONE)
            to->error_message = request_text_dup(request, e.code == RC_OK ? NULL : e.text);
        if (to->error_code != KE_NONE)
            continue;
        buf_init(&key, KEY_BYTES_MAX);
        acls_key(&acl, &key);
        job->changes[job->count].key = buf_take(&key, &job->changes[job->count].key_size);
        job->count++;
    }
    return alteration_end(&job->alteration, job->count > 0);
}

static void
deletions_fail(const struct alteration *alteration, void *out_)
{
    struct km_delete_acls_response *out = out_;

    (void)alteration;
    for (int32_t i = 0; i < out->filter_results.count; i++)
        out->filter_results.items[i].error_code = KE_KAFKA_STORAGE_ERROR;
}

static const struct alteration_kind deletion = {
    changes_write, changes_take_effect, complain, deletions_fail, alteration_free};

/* Answers one filter with what goes by it, and notes the changes. Rules that go by two filters go
 * twice, without effect. */
static bool
filter_read(struct acl_alteration *job, const struct km_delete_acls_request_filter *in,
    struct km_delete_acls_response_filter_result *out)
{
    struct acl filter = {in->resource_type_filter, in->pattern_type_filter, in->operation,
        in->permission_type, in->resource_name_filter, in->principal_filter, in->host_filter};
    struct request *request = job->alteration.request;
    size_t count;
    const struct acl_entry **list = matching(job->alteration.broker, request, &filter, &count);

    out->error_message = request_text(NULL);
    out->matching_acls.items =
        codec_array(&request->arena, &km_delete_acls_response_matching_acl_desc, (int32_t)count);
    if (arena_is_full(&request->arena))
        return false;
    out->matching_acls.count = (int32_t)count;
    job->changes = xrealloc(job->changes, job->count + count + 1, sizeof *job->changes);
    for (size_t i = 0; i < count; i++) {
        const struct acl *acl = &list[i]->acl;
        matching_out *to = &out->matching_acls.items[i];

        to->error_message = request_text(NULL);
        to->resource_type = acl->resource_type;
        to->resource_name = copy(request, acl->resource);
        to->pattern_type = acl->pattern_type;
        to->principal = copy(request, acl->principal);
        to->host = copy(request, acl->host);
        to->operation = acl->operation;
        to->permission_type = acl->permission_type;
        job->changes[job->count++] =
            (struct change){xmemdup(list[i]->key, list[i]->key_size), list[i]->key_size};
    }
    return true;
}

enum h_result
h_delete_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_acls_request *in = in_;
    struct km_delete_acls_response *out = out_;
    struct acl_alteration *job;

    out->filter_results.items = codec_array(
        &request->arena, &km_delete_acls_response_filter_result_desc, in->filters.count);
    if (out->filter_results.items == NULL)
        return H_CLOSE;
    out->filter_results.count = in->filters.count;
    job = alteration_new(broker, request, &deletion, 1, true);
    for (int32_t i = 0; i < in->filters.count; i++) {
        struct km_delete_acls_response_filter_result *result = &out->filter_results.items[i];

        if (!is_kept(broker)) {
            result->error_code = KE_SECURITY_DISABLED;
            result->error_message = request_text(NO_AUTHORIZER);
        } else if (!filter_read(job, &in->filters.items[i], result)) {
            alteration_free(&job->alteration);
            return H_CLOSE;
        }
    }
    return alteration_end(&job->alteration, job->count > 0);
}
