#include "refbroker/stats.h"

#include <inttypes.h>

void
stats_write(const struct stats *stats, struct buf *out)
{
#define COUNTER "counter"
#define GAUGE "gauge"
#define STAT(name, kind, help)                                                                     \
    buf_printf(out, "# HELP kdl_%s %s\n# TYPE kdl_%s %s\nkdl_%s %" PRId64 "\n", #name, help,       \
        #name, kind, #name, stats->name);
#include "refbroker/stats.def"
#undef STAT
#undef COUNTER
#undef GAUGE
}
