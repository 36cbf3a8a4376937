/*
 * DescribeUserScramCredentials and AlterUserScramCredentials (KIP-554; ScramControlManager,
 * ScramImage).
 *
 * A user may be altered once in a request, whatever the mechanism; who comes twice is refused with
 * 92 and not changed. The rest is one transaction of the catalog. A salted password is turned into
 * the two keys that a server needs, and not kept.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

#define TWICE "A user credential cannot be altered twice in the same request"

typedef struct km_describe_user_scram_credentials_response_result described;
typedef struct km_alter_user_scram_credentials_response_result altered;

/* --- DescribeUserScramCredentials ------------------------------------------------------------- */

static bool
user_describe(struct request *request, const struct scram_user *user, described *out)
{
    out->credential_infos.items = codec_array(&request->arena,
        &km_describe_user_scram_credentials_response_credential_info_desc, SCRAM_MECHANISM_COUNT);
    if (out->credential_infos.items == NULL)
        return false;
    out->error_message = request_text("");
    for (int mechanism = SCRAM_SHA_256; mechanism <= SCRAM_SHA_512; mechanism++) {
        const struct scram_credential *credential = scram_users_get(user, (int8_t)mechanism);

        if (credential != NULL)
            out->credential_infos.items[out->credential_infos.count++] =
                (struct km_describe_user_scram_credentials_response_credential_info){
                    (int8_t)mechanism, (int32_t)credential->iterations};
    }
    return true;
}

static bool
all_describe(struct broker *broker, struct request *request,
    struct km_describe_user_scram_credentials_response *out)
{
    const struct scram_user *user;
    size_t position = 0;

    while ((user = scram_users_next(&broker->scram_users, &position)) != NULL) {
        described *result = &out->results.items[out->results.count++];

        result->user = request_text_dup(request, user->name);
        if (!user_describe(request, user, result))
            return false;
    }
    return true;
}

/* Each user once, though he be asked for twice. */
static bool
asked_describe(struct broker *broker, struct request *request, const struct doubled *asked,
    const struct km_describe_user_scram_credentials_request *in,
    struct km_describe_user_scram_credentials_response *out)
{
    struct map told;
    bool ok = true;

    map_init(&told);
    for (int32_t i = 0; i < in->users.count && ok; i++) {
        struct wire_string name = in->users.items[i].name;
        const struct scram_user *user = scram_users_find(&broker->scram_users, name);
        described *result = &out->results.items[out->results.count];

        if (map_put(&told, name.data, (size_t)name.size, &told) != NULL)
            continue;
        out->results.count++;
        result->user = name;
        if (doubled_is(asked, name.data, (size_t)name.size)) {
            result->error_code = KE_DUPLICATE_RESOURCE;
            result->error_message = request_text(arena_printf(&request->arena,
                "Cannot describe SCRAM credentials for the same user twice in a single request: "
                "%.*s",
                name.size, name.data));
        } else if (user == NULL) {
            result->error_code = KE_RESOURCE_NOT_FOUND;
            result->error_message = request_text(arena_printf(&request->arena,
                "Attempt to describe a user credential that does not exist: %.*s", name.size,
                name.data));
        } else {
            ok = user_describe(request, user, result);
        }
    }
    map_fini(&told, NULL);
    return ok;
}

enum h_result
h_describe_user_scram_credentials(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_user_scram_credentials_request *in = in_;
    struct km_describe_user_scram_credentials_response *out = out_;
    bool all = in->users.count <= 0, ok;
    struct doubled asked;

    out->error_message = request_text("");
    out->results.items =
        codec_array(&request->arena, &km_describe_user_scram_credentials_response_result_desc,
            all ? (int32_t)map_count(&broker->scram_users.by_name) : in->users.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    doubled_init(&asked);
    for (int32_t i = 0; i < in->users.count; i++)
        doubled_note(&asked, in->users.items[i].name.data, (size_t)in->users.items[i].name.size);
    ok =
        all ? all_describe(broker, request, out) : asked_describe(broker, request, &asked, in, out);
    doubled_fini(&asked);
    return ok && !arena_is_full(&request->arena) ? H_DONE : H_CLOSE;
}

/* --- AlterUserScramCredentials ---------------------------------------------------------------- */

struct change {
    char *user;
    enum scram_mechanism mechanism;
    struct scram_credential *credential; /* NULL: it goes */
};

struct scram_alteration {
    struct alteration alteration; /* first */
    struct change *changes;
    size_t count;
};

static enum rc
changes_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct scram_alteration *job = (const void *)alteration;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc = catalog_put_scram(catalog, job->changes[i].user, job->changes[i].mechanism,
            job->changes[i].credential, e);
    return rc;
}

static enum rc
changes_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct scram_alteration *job = (const void *)alteration;

    (void)e;
    for (size_t i = 0; i < job->count; i++)
        scram_users_set(&alteration->broker->scram_users, job->changes[i].user,
            job->changes[i].mechanism, job->changes[i].credential);
    return RC_OK;
}

static void
complain(const struct err *e)
{
    log_error("SCRAM", "%s", e->text);
}

static void
answer_fail(const struct alteration *alteration, void *out_)
{
    struct km_alter_user_scram_credentials_response *out = out_;

    (void)alteration;
    for (int32_t i = 0; i < out->results.count; i++)
        if (out->results.items[i].error_code == KE_NONE)
            out->results.items[i].error_code = KE_KAFKA_STORAGE_ERROR;
}

static void
alteration_free(struct alteration *alteration)
{
    struct scram_alteration *job = (void *)alteration;

    for (size_t i = 0; i < job->count; i++) {
        free(job->changes[i].user);
        free(job->changes[i].credential);
    }
    free(job->changes);
    free(job);
}

static const struct alteration_kind kind = {
    changes_write, changes_take_effect, complain, answer_fail, alteration_free};

static void
change_add(struct scram_alteration *job, struct wire_string user, int8_t mechanism,
    const struct scram_credential *credential)
{
    struct change *change = &job->changes[job->count++];

    change->user = xmemdup(user.data, (size_t)user.size);
    change->mechanism = (enum scram_mechanism)mechanism;
    change->credential = credential == NULL ? NULL : xmemdup(credential, sizeof *credential);
}

/* Refuses an alteration, or adds it; the code, and the text in *why. */
static int16_t
deletion_read(struct scram_alteration *job,
    const struct km_alter_user_scram_credentials_request_scram_credential_deletion *in,
    const char **why)
{
    int16_t error = scram_users_name_check(in->name, in->mechanism, why);
    const struct scram_user *user =
        scram_users_find(&job->alteration.broker->scram_users, in->name);

    if (error != KE_NONE)
        return error;
    if (user == NULL || scram_users_get(user, in->mechanism) == NULL) {
        *why = "Attempt to delete a user credential that does not exist";
        return KE_RESOURCE_NOT_FOUND;
    }
    change_add(job, in->name, in->mechanism, NULL);
    return KE_NONE;
}

static int16_t
upsertion_read(struct scram_alteration *job,
    const struct km_alter_user_scram_credentials_request_scram_credential_upsertion *in,
    const char **why)
{
    int16_t error = scram_users_name_check(in->name, in->mechanism, why);
    struct scram_credential credential;
    struct err e;

    if (error == KE_NONE)
        error = scram_users_iterations_check(in->iterations, why);
    if (error != KE_NONE)
        return error;
    if (map_count(&job->alteration.broker->scram_users.by_name) >= SCRAM_USERS_MAX &&
        scram_users_find(&job->alteration.broker->scram_users, in->name) == NULL) {
        *why = "There are too many users";
        return KE_POLICY_VIOLATION;
    }
    if (scram_users_credential((enum scram_mechanism)in->mechanism, in->iterations, in->salt,
            in->salted_password, &credential, &e) != RC_OK) {
        *why = arena_strdup(&job->alteration.request->arena, e.text);
        return KE_UNACCEPTABLE_CREDENTIAL;
    }
    change_add(job, in->name, in->mechanism, &credential);
    digest_wipe(&credential, sizeof credential);
    return KE_NONE;
}

/* The answer about a user who was not spoken of before; NULL for one who was. */
static altered *
answer_new(
    struct map *told, struct wire_string name, struct km_alter_user_scram_credentials_response *out)
{
    altered *result = &out->results.items[out->results.count];

    if (map_put(told, name.data, (size_t)name.size, told) != NULL)
        return NULL;
    out->results.count++;
    result->user = name;
    return result;
}

/* Reads all alterations of users who come once, and answers for each user. */
static void
alterations_read(struct scram_alteration *job,
    const struct km_alter_user_scram_credentials_request *in,
    struct km_alter_user_scram_credentials_response *out)
{
    int32_t deletions = in->deletions.count, count = deletions + in->upsertions.count;
    struct doubled names;
    struct map told;

    map_init(&told);
    doubled_init(&names);
    for (int32_t i = 0; i < count; i++) {
        struct wire_string name =
            i < deletions ? in->deletions.items[i].name : in->upsertions.items[i - deletions].name;

        doubled_note(&names, name.data, (size_t)name.size);
    }
    for (int32_t i = 0; i < count; i++) {
        struct wire_string name =
            i < deletions ? in->deletions.items[i].name : in->upsertions.items[i - deletions].name;
        altered *result = answer_new(&told, name, out);
        const char *why = NULL;

        if (result == NULL)
            continue;
        if (doubled_is(&names, name.data, (size_t)name.size)) {
            result->error_code = KE_DUPLICATE_RESOURCE;
            why = TWICE;
        } else {
            result->error_code =
                i < deletions ? deletion_read(job, &in->deletions.items[i], &why)
                              : upsertion_read(job, &in->upsertions.items[i - deletions], &why);
        }
        result->error_message = request_text(why);
    }
    doubled_fini(&names);
    map_fini(&told, NULL);
}

enum h_result
h_alter_user_scram_credentials(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_alter_user_scram_credentials_request *in = in_;
    struct km_alter_user_scram_credentials_response *out = out_;
    int32_t count = in->deletions.count + in->upsertions.count;
    struct scram_alteration *job;

    out->results.items =
        codec_array(&request->arena, &km_alter_user_scram_credentials_response_result_desc, count);
    if (out->results.items == NULL)
        return H_CLOSE;
    job = xcalloc(1, sizeof *job);
    alteration_init(&job->alteration, &kind, broker, request);
    job->changes = xcalloc((size_t)count, sizeof *job->changes);
    alterations_read(job, in, out);
    return alteration_end(&job->alteration, job->count > 0);
}
