/*
 * UpdateFeatures (KIP-584, KIP-1022; KafkaApis, FeatureControlManager): all changes of a request or
 * none. The levels of metadata.version mean nothing here; those of transaction.version and
 * group.version are what clients go by. As in Kafka, whose controller does not look at
 * AllowDowngrade, version 0 lowers nothing.
 */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

struct change {
    enum feature_id id;
    int16_t level;
};

struct feature_alteration {
    struct alteration alteration; /* first */
    size_t count;
    struct change changes[];
};

static enum rc
changes_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct feature_alteration *job = (const void *)alteration;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc = features_put(catalog, job->changes[i].id, job->changes[i].level, e);
    return rc;
}

static enum rc
changes_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct feature_alteration *job = (const void *)alteration;
    struct features *features = &alteration->broker->features;

    (void)e;
    features->epoch++;
    for (size_t i = 0; i < job->count; i++)
        features->levels[job->changes[i].id] = job->changes[i].level;
    return RC_OK;
}

static void
complain(const struct err *e)
{
    log_error("FEATURES", "%s", e->text);
}

static void
answer_fail(const struct alteration *alteration, void *out_)
{
    struct km_update_features_response *out = out_;

    (void)alteration;
    out->error_code = KE_KAFKA_STORAGE_ERROR;
    out->results.count = 0;
}

static void
alteration_free(struct alteration *alteration)
{
    free(alteration);
}

static const struct alteration_kind kind = {
    changes_write, changes_take_effect, complain, answer_fail, alteration_free};

enum h_result
h_update_features(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_update_features_request *in = in_;
    struct km_update_features_response *out = out_;
    size_t count = (size_t)in->feature_updates.count;
    struct feature_alteration *job = xcalloc(1, sizeof *job + count * sizeof job->changes[0]);
    struct err e;

    alteration_init(&job->alteration, &kind, broker, request);
    out->error_message = request_text(NULL);
    out->results.items = codec_array(&request->arena,
        &km_update_features_response_updatable_feature_result_desc, in->feature_updates.count);
    for (size_t i = 0; i < count && out->error_code == KE_NONE; i++) {
        const struct km_update_features_request_feature_update_key *update =
            &in->feature_updates.items[i];

        job->changes[i] =
            (struct change){features_find(update->feature), update->max_version_level};
        if (features_check(&broker->features, update->feature, update->max_version_level,
                update->upgrade_type, broker->options.node_id, &e) != RC_OK) {
            out->error_code = KE_INVALID_UPDATE_VERSION;
            out->error_message = request_text(arena_printf(&request->arena,
                "The update failed for all features since the following feature had an error: %s",
                e.text));
        }
    }
    for (size_t i = 0; i < count && out->error_code == KE_NONE && out->results.items != NULL; i++)
        out->results.items[out->results.count++] =
            (struct km_update_features_response_updatable_feature_result){
                .feature = in->feature_updates.items[i].feature,
                .error_message = request_text("NONE")};
    job->count = count;
    return alteration_end(
        &job->alteration, out->error_code == KE_NONE && !in->validate_only && count > 0);
}
