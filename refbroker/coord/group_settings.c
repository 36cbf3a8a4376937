#include "refbroker/coord/group_settings.h"

void
group_settings_default(struct group_settings *settings)
{
    *settings = (struct group_settings){
#define GROUP_SETTING(member, name, standard, lowest, highest, help) .member = (standard),
#include "refbroker/coord/group_settings.def"
#undef GROUP_SETTING
        .consumer_migration = GROUP_MIGRATION_BIDIRECTIONAL,
        .protocols = GROUP_PROTOCOL_CLASSIC | GROUP_PROTOCOL_CONSUMER | GROUP_PROTOCOL_STREAMS,
    };
}
