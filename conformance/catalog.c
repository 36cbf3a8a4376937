#include "conformance/catalog.h"

#include <fnmatch.h>

#include "lib/base/xalloc.h"

#define CATALOG(file) extern const struct check_table file##_table;
#include "conformance/catalog.def"
#undef CATALOG

static const struct check_table *const tables[] = {
#define CATALOG(file) &file##_table,
#include "conformance/catalog.def"
#undef CATALOG
};

size_t
catalog_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        count += tables[i]->count;
    return count;
}

struct catalog_entry
catalog_at(size_t number)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (number < tables[i]->count)
            return (struct catalog_entry){tables[i]->area, &tables[i]->checks[number]};
        number -= tables[i]->count;
    }
    xalloc_fail("a check's number", __FILE__, __LINE__);
}

bool
catalog_has(const char *pattern)
{
    for (size_t i = 0; i < catalog_count(); i++)
        if (fnmatch(pattern, catalog_at(i).check->id, 0) == 0)
            return true;
    return false;
}
