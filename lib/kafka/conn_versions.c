#include "lib/kafka/conn_versions.h"

#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

void
conn_versions_clear(struct conn_versions *versions)
{
    for (size_t i = 0; i < ARRAY_LEN(versions->ranges); i++)
        versions->ranges[i] = (struct wire_range){0, -1};
}

void
conn_versions_load(struct conn_versions *versions, const struct km_api_versions_response *response)
{
    conn_versions_clear(versions);
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const struct km_api_versions_response_api_version *row = &response->api_keys.items[i];
        const struct wire_api *api = frame_api(row->api_key);

        if (api != NULL)
            versions->ranges[api - km_apis] =
                (struct wire_range){row->min_version, row->max_version};
    }
}

struct wire_range
conn_versions_range(const struct conn_versions *versions, const struct wire_api *api)
{
    return versions->ranges[api - km_apis];
}

static void
narrow(struct wire_range *range, const struct wire_range *by)
{
    if (by->min > range->min)
        range->min = by->min;
    if (by->max < range->max)
        range->max = by->max;
}

enum rc
conn_versions_pick(const struct conn_versions *versions, const struct wire_api *api,
    const struct wire_range *wanted, int16_t *version, struct err *e)
{
    struct wire_range theirs = conn_versions_range(versions, api);
    struct wire_range ours = api->request->versions, common;

    if (api->request->last_unstable && (wanted == NULL || wanted->min < ours.max))
        ours.max--;
    if (wanted != NULL)
        narrow(&ours, wanted);
    if (theirs.max < theirs.min)
        return err_set(e, RC_UNSUPPORTED, "it does not speak %s (API %d)", api->name, api->key);
    common = ours;
    narrow(&common, &theirs);
    if (common.max < common.min)
        return err_set(e, RC_UNSUPPORTED, "it speaks %s %d-%d, and %d-%d would be needed",
            api->name, theirs.min, theirs.max, ours.min, ours.max);
    *version = common.max;
    return RC_OK;
}
