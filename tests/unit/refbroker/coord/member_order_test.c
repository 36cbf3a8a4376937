/* The order in which members are handed to assignors, beside what Apache Kafka 4.3.1's
 * TimelineHashMap and Java's HashMap make of the same ids. */
#include "refbroker/coord/member_order.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define MEMBERS_MAX 41

static const struct {
    size_t count;
    bool last_is_new;
    const char *ids[MEMBERS_MAX];
    size_t order[MEMBERS_MAX];
} groups[] = {
    /* clang-format off */
    {1, false, {"member-79487"}, {0}},
    {2, true, {"member-50092", "member-33474"}, {0, 1}},
    {2, false, {"member-69424", "member-14506"}, {0, 1}},
    {3, true, {"member-17605", "member-87854", "member-86691"}, {2, 0, 1}},
    {3, false, {"member-57722", "member-77321", "member-25831"}, {1, 0, 2}},
    {4, true, {"member-45303", "member-747", "member-86560", "member-3428"}, {0, 2, 3, 1}},
    {5, false, {"member-18090", "member-23978", "member-50215", "member-74017", "mémbre-😀17"}, {1, 0, 2, 4, 3}},
    {6, true, {"member-90308", "member-51165", "member-44808", "member-91356", "mémbre-😀761", "member-13402"}, {4, 5, 0, 3, 2, 1}},
    {8, false, {"member-45180", "member-54647", "member-95715", "member-48320", "mémbre-😀689", "member-13292", "member-8557", "member-9129"}, {6, 7, 5, 2, 1, 0, 3, 4}},
    {9, true, {"member-57707", "member-49030", "member-946", "member-80543", "mémbre-😀569", "member-43633", "member-86884", "member-77451", "member-1870"}, {7, 1, 3, 2, 5, 6, 0, 8, 4}},
    {13, false, {"member-35357", "member-43541", "member-48198", "member-76452", "mémbre-😀42", "member-44053", "member-27595", "member-94925", "member-71805", "mémbre-😀712", "member-62637", "member-67503", "member-73912"}, {3, 0, 10, 5, 2, 8, 11, 9, 6, 12, 1, 7, 4}},
    {14, true, {"member-65059", "member-24900", "member-41947", "member-55431", "mémbre-😀99", "member-61251", "member-44307", "member-93326", "member-4298", "mémbre-😀965", "member-35733", "member-65697", "member-55544", "member-4518"}, {12, 10, 5, 11, 0, 9, 8, 1, 6, 4, 13, 2, 7, 3}},
    {20, false, {"member-71049", "member-47236", "member-62658", "member-62030", "mémbre-😀355", "member-71057", "member-26769", "member-40360", "member-19413", "mémbre-😀399", "member-80665", "member-89073", "member-41684", "member-36863", "mémbre-😀156", "member-18091", "member-20388", "member-2506", "member-40891", "mémbre-😀737"}, {10, 17, 14, 4, 9, 15, 2, 1, 19, 7, 16, 18, 12, 0, 8, 3, 11, 6, 13, 5}},
    {21, true, {"member-67843", "member-13111", "member-67200", "member-8101", "mémbre-😀600", "member-47585", "member-74027", "member-74469", "member-56054", "mémbre-😀60", "member-86575", "member-96253", "member-50840", "member-87968", "mémbre-😀744", "member-28149", "member-923", "member-32470", "member-31764", "mémbre-😀179", "member-84266"}, {13, 19, 18, 4, 14, 10, 20, 15, 0, 5, 3, 2, 9, 12, 17, 6, 11, 8, 7, 1, 16}},
    {40, false, {"member-43055", "member-67563", "member-52028", "member-25098", "mémbre-😀604", "member-31388", "member-14811", "member-40443", "member-77240", "mémbre-😀253", "member-3524", "member-42824", "member-26570", "member-62638", "mémbre-😀818", "member-60523", "member-88391", "member-67651", "member-21292", "mémbre-😀576", "member-88340", "member-84205", "member-42247", "member-67908", "mémbre-😀385", "member-66316", "member-56005", "member-4905", "member-9744", "mémbre-😀74", "member-32499", "member-46873", "member-75565", "member-27006", "mémbre-😀896", "member-30789", "member-43992", "member-47764", "member-34209", "mémbre-😀377"}, {30, 5, 12, 26, 15, 24, 8, 33, 4, 0, 20, 1, 28, 10, 13, 21, 23, 38, 39, 6, 9, 35, 25, 19, 34, 37, 31, 18, 3, 17, 36, 14, 16, 7, 22, 11, 2, 29, 27, 32}},
    {41, true, {"member-73541", "member-37462", "member-9761", "member-2429", "mémbre-😀405", "member-7617", "member-62134", "member-63482", "member-32485", "mémbre-😀919", "member-3199", "member-59399", "member-71924", "member-43556", "mémbre-😀185", "member-23328", "member-21571", "member-88383", "member-43649", "mémbre-😀546", "member-19909", "member-2047", "member-56003", "member-9621", "mémbre-😀677", "member-70343", "member-20977", "member-72022", "member-5270", "mémbre-😀296", "member-64128", "member-77408", "member-13077", "member-93505", "mémbre-😀685", "member-98935", "member-94348", "member-43661", "member-51148", "mémbre-😀673", "member-86688"}, {14, 3, 34, 30, 19, 21, 23, 2, 4, 7, 35, 17, 38, 18, 27, 33, 25, 8, 29, 39, 24, 28, 16, 20, 37, 6, 40, 15, 36, 10, 31, 12, 13, 9, 0, 5, 32, 26, 1, 11, 22}},
    /* clang-format on */
};

static void
members_stand_as_in_javas_tables(void **state)
{
    (void)state;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        struct member_order members[MEMBERS_MAX];
        size_t count = groups[g].count;

        for (size_t i = 0; i < count; i++)
            members[i] = (struct member_order){.member_id = groups[g].ids[i],
                .is_new = groups[g].last_is_new && i + 1 == count,
                .at = i};
        member_order_sort(members, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(members[i].at, groups[g].order[i]);
    }
}

static bool
is_last(const void *last, const void *member)
{
    return member == last;
}

static void
a_group_s_table_is_sorted_so(void **state)
{
    (void)state;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        int things[MEMBERS_MAX];
        struct member_order *order;
        struct map members;

        map_init(&members);
        for (size_t i = 0; i < groups[g].count; i++)
            map_put_text(&members, groups[g].ids[i], &things[i]);
        order = member_order_of(
            &members, is_last, groups[g].last_is_new ? &things[groups[g].count - 1] : NULL);
        for (size_t i = 0; i < groups[g].count; i++)
            assert_ptr_equal(order[i].member, &things[groups[g].order[i]]);
        free(order);
        map_fini(&members, NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_as_in_javas_tables),
        cmocka_unit_test(a_group_s_table_is_sorted_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
