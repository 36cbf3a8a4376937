#include "cli/top_lists.h"

#include <stdio.h>
#include <string.h>

#include "cli/units.h"
#include "lib/base/xalloc.h"

#define LEFT 2 /* of names */
#define GAP 2  /* between columns */
#define NAME_MIN 16
#define BAR_CELLS 12
#define COLUMNS_MAX 16

struct cell {
    char text[96];
    enum top_role role;
};

typedef void cell_fn(const struct top_model *model, int32_t row, bool utf8, struct cell *out);

struct column {
    const char *title;
    int width;
    int rank; /* 1 is the last to go where there is little room */
    bool left;
    cell_fn *fill;
};

struct table {
    const char *title;
    const char *(*name)(const struct top_model *model, int32_t row);
    const struct column *columns;
    size_t column_count;
};

/* --- cells ----------------------------------------------------------------------------------- */

static void
count_cell(double value, struct cell *out)
{
    if (value < 0)
        snprintf(out->text, sizeof out->text, "-");
    else
        units_count((int64_t)value, out->text);
}

static void
bytes_cell(double value, struct cell *out)
{
    if (value < 0)
        snprintf(out->text, sizeof out->text, "-");
    else
        units_bytes((uint64_t)value, out->text);
}

static const char *
pending(bool utf8)
{
    return utf8 ? "…" : "...";
}

static void
known_cell(enum top_known known, bool utf8, struct cell *out)
{
    static const char *const texts[] = {
        [TOP_PENDING] = "", [TOP_UNKNOWN] = "?", [TOP_NO] = "no", [TOP_YES] = "yes"};

    out->role = known == TOP_YES || known == TOP_UNKNOWN ? TOP_PLAIN : TOP_DIM;
    snprintf(
        out->text, sizeof out->text, "%s", known == TOP_PENDING ? pending(utf8) : texts[known]);
}

const char *
top_lists_verdict(enum top_verdict verdict, bool utf8)
{
    static const char *const texts[TOP_VERDICTS] = {[TOP_READY] = "READY",
        [TOP_CHANGES] = "CHANGES",
        [TOP_UNDECIDED] = "UNKNOWN",
        [TOP_BLOCKED] = "BLOCKED"};

    return verdict == TOP_NOT_JUDGED ? pending(utf8) : texts[verdict];
}

static void
verdict_cell(enum top_verdict verdict, bool utf8, struct cell *out)
{
    out->role = verdict == TOP_BLOCKED      ? TOP_BAD
                : verdict == TOP_READY      ? TOP_GOOD
                : verdict == TOP_NOT_JUDGED ? TOP_DIM
                                            : TOP_PLAIN;
    snprintf(out->text, sizeof out->text, "%s", top_lists_verdict(verdict, utf8));
}

/* --- topics ---------------------------------------------------------------------------------- */

static const char *
topic_name(const struct top_model *model, int32_t row)
{
    return model->topics[row].name;
}

static void
topic_partitions(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    snprintf(out->text, sizeof out->text, "%d", model->topics[row].partitions);
}

static void
topic_bytes(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    bytes_cell((double)model->topics[row].size.bytes, out);
}

static void
topic_records(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    count_cell((double)model->topics[row].records, out);
}

static void
topic_rate(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    count_cell(model->topics[row].rate, out);
}

static void
topic_byte_rate(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    bytes_cell(model->topics[row].byte_rate, out);
}

static void
topic_transactions(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    known_cell(model->topics[row].traits.transactions, utf8, out);
}

static void
topic_compaction(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    known_cell(model->topics[row].traits.compaction, utf8, out);
}

static void
topic_streams(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    known_cell(model->topics[row].traits.streams, utf8, out);
}

static void
topic_idempotence(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    known_cell(model->topics[row].traits.idempotence, utf8, out);
}

static void
topic_coordinated(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    verdict_cell(model->topics[row].traits.coordinated, utf8, out);
}

static void
topic_wal(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    verdict_cell(model->topics[row].traits.wal, utf8, out);
}

static const struct column topic_columns[] = {
    {"PARTS", 5, 9, false, topic_partitions},
    {"SIZE", 7, 2, false, topic_bytes},
    {"RECORDS", 7, 10, false, topic_records},
    {"IN/s", 6, 3, false, topic_rate},
    {"BYTES/s", 7, 7, false, topic_byte_rate},
    {"TXN", 3, 4, true, topic_transactions},
    {"COMPACT", 7, 5, true, topic_compaction},
    {"STREAMS", 7, 6, true, topic_streams},
    {"IDEMPOTENT", 10, 11, true, topic_idempotence},
    {"COORDINATED", 11, 1, true, topic_coordinated},
    {"WAL", 7, 8, true, topic_wal},
};

/* --- groups ---------------------------------------------------------------------------------- */

static const char *
group_name(const struct top_model *model, int32_t row)
{
    return model->groups[row].name;
}

static void
group_type(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    snprintf(out->text, sizeof out->text, "%s", model->groups[row].type);
}

static void
group_state(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    snprintf(out->text, sizeof out->text, "%s", model->groups[row].state);
}

static void
group_partitions(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    snprintf(out->text, sizeof out->text, "%d", model->groups[row].partitions);
}

static void
group_lag(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    count_cell((double)model->groups[row].lag, out);
}

static const struct column group_columns[] = {
    {"TYPE", 8, 4, true, group_type},
    {"STATE", 19, 2, true, group_state},
    {"PARTS", 5, 3, false, group_partitions},
    {"LAG", 7, 1, false, group_lag},
};

/* --- mirror ---------------------------------------------------------------------------------- */

/* The share of the source's records that the target has; -1: not known. */
static double
share_of(const struct top_model *model, int32_t row)
{
    const struct top_topic *topic = &model->topics[row];

    if (!model->target_answered || !topic->mirrored)
        return -1;
    return topic->records <= 0 || topic->lag == 0
               ? 1
               : 1 - (double)(topic->lag < topic->records ? topic->lag : topic->records) /
                         (double)topic->records;
}

static void
mirror_bar(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    double share = share_of(model, row);
    size_t used = 0;

    out->role = TOP_GOOD;
    for (int i = 0; i < BAR_CELLS && share >= 0; i++)
        used += (size_t)snprintf(out->text + used, sizeof out->text - used, "%s",
            i < (int)(share * BAR_CELLS) ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
}

/* Whole percents; 100 only where nothing is missing. */
static void
mirror_share(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    double share = share_of(model, row);

    (void)utf8;
    if (share >= 0)
        snprintf(out->text, sizeof out->text, "%d %%", (int)(share * 100));
}

static void
mirror_target_bytes(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    if (model->topics[row].mirrored)
        bytes_cell((double)model->topics[row].target_size.bytes, out);
}

static void
mirror_rate(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    const struct top_topic *topic = &model->topics[row];
    char text[UNITS_BYTES];

    (void)utf8;
    if (!topic->mirrored)
        return;
    if (topic->mirror_byte_rate < 0) {
        snprintf(out->text, sizeof out->text, "-");
        return;
    }
    units_bytes((uint64_t)topic->mirror_byte_rate, text);
    snprintf(out->text, sizeof out->text, "%s%s", topic->mirror_bytes_estimated ? "~" : "", text);
}

static void
mirror_lag(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    (void)utf8;
    if (model->topics[row].mirrored)
        count_cell((double)model->topics[row].lag, out);
}

static void
mirror_eta(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    const struct top_topic *topic = &model->topics[row];

    (void)utf8;
    if (!topic->mirrored || topic->lag == 0)
        return;
    if (topic->eta_s < 0)
        snprintf(out->text, sizeof out->text, "-");
    else
        units_seconds((int64_t)topic->eta_s, out->text);
}

static void
mirror_state(const struct top_model *model, int32_t row, bool utf8, struct cell *out)
{
    const struct top_topic *topic = &model->topics[row];
    const char *text = topic->lag == 0          ? "live"
                       : topic->rate < 0        ? "behind"
                       : topic->mirror_rate > 0 ? "back-fill"
                                                : "nothing comes";

    (void)utf8;
    out->role = topic->lag == 0 ? TOP_GOOD : TOP_PLAIN;
    if (!model->target_answered || !topic->mirrored) {
        out->role = TOP_DIM;
        text = model->target_answered ? "not mirrored" : "?";
    }
    snprintf(out->text, sizeof out->text, "%s", text);
}

static const struct column mirror_columns[] = {
    {"", BAR_CELLS, 8, true, mirror_bar},
    {"DONE", 5, 1, false, mirror_share},
    {"COPIED", 7, 6, false, mirror_target_bytes},
    {"OF", 7, 7, false, topic_bytes},
    {"BYTES/s", 8, 3, false, mirror_rate},
    {"LAG", 6, 2, false, mirror_lag},
    {"ETA", 9, 4, false, mirror_eta},
    {"STATE", 13, 5, true, mirror_state},
};

/* --- tables ---------------------------------------------------------------------------------- */

static const struct table tables[] = {
    [TOP_LIST_TOPICS] = {"TOPIC", topic_name, topic_columns, ARRAY_LEN(topic_columns)},
    [TOP_LIST_GROUPS] = {"GROUP", group_name, group_columns, ARRAY_LEN(group_columns)},
    [TOP_LIST_MIRROR] = {"TOPIC", topic_name, mirror_columns, ARRAY_LEN(mirror_columns)},
};

/* How a table lies on a grid. */
struct layout {
    int name_width;
    const struct column *columns[COLUMNS_MAX];
    size_t count;
};

static int
name_longest(const struct table *table, const struct top_model *model, int32_t rows)
{
    size_t longest = NAME_MIN;

    for (int32_t i = 0; i < rows; i++) {
        size_t size = strlen(table->name(model, i));

        if (size > longest)
            longest = size;
    }
    return longest > 250 ? 250 : (int)longest;
}

static const struct column *
column_of(const struct table *table, int rank)
{
    size_t i = 0;

    while (table->columns[i].rank != rank)
        i++;
    return &table->columns[i];
}

/* Takes columns in the order of their ranks while they fit, and keeps them in that of the table. */
static void
layout_make(const struct table *table, int width, int name_max, struct layout *out)
{
    int left = width - LEFT - NAME_MIN, rank;

    for (rank = 1; rank <= (int)table->column_count; rank++) {
        int wanted = column_of(table, rank)->width + GAP;

        if (left < wanted)
            break;
        left -= wanted;
    }
    out->count = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].rank < rank)
            out->columns[out->count++] = &table->columns[i];
    out->name_width = NAME_MIN + (left > 0 ? left : 0);
    if (out->name_width > name_max)
        out->name_width = name_max;
}

/* How many cells a text takes: characters of UTF-8. */
static int
cells_of(const char *text)
{
    int cells = 0;

    for (; *text != '\0'; text++)
        cells += ((unsigned char)*text & 0xc0) != 0x80;
    return cells;
}

static void
text_draw(struct top_grid *grid, int x, int y, const struct column *column, enum top_role role,
    const char *text)
{
    top_grid_text(grid, column->left ? x : x + column->width - cells_of(text), y, role, text);
}

static void
row_draw(struct top_grid *grid, int y, const struct table *table, const struct layout *layout,
    const struct top_model *model, int32_t row, bool utf8)
{
    int x = LEFT + layout->name_width + GAP;

    top_grid_name(grid, LEFT, y, layout->name_width, TOP_PLAIN, table->name(model, row));
    for (size_t i = 0; i < layout->count; i++) {
        struct cell cell = {.text = "", .role = TOP_PLAIN};

        layout->columns[i]->fill(model, row, utf8, &cell);
        text_draw(grid, x, y, layout->columns[i], cell.role, cell.text);
        x += layout->columns[i]->width + GAP;
    }
}

static void
head_draw(struct top_grid *grid, int y, const struct table *table, const struct layout *layout)
{
    int x = LEFT + layout->name_width + GAP;

    top_grid_text(grid, LEFT, y, TOP_HEAD, table->title);
    for (size_t i = 0; i < layout->count; i++) {
        text_draw(grid, x, y, layout->columns[i], TOP_HEAD, layout->columns[i]->title);
        x += layout->columns[i]->width + GAP;
    }
}

/* Keeps the selection on the list and the list on the screen; returns how many rows are drawn. */
static int
rows_fit(int room, int count, struct top_choice *choice)
{
    if (room < 1)
        room = 1;
    if (choice->selected >= count)
        choice->selected = count - 1;
    if (choice->selected < 0)
        choice->selected = 0;
    if (choice->first > count - room)
        choice->first = count > room ? count - room : 0;
    if (choice->selected < choice->first)
        choice->first = choice->selected;
    if (choice->selected >= choice->first + room)
        choice->first = choice->selected - room + 1;
    return count - choice->first < room ? count - choice->first : room;
}

void
top_lists_draw(struct top_grid *grid, int top, enum top_list list, const struct top_model *model,
    struct top_choice *choice)
{
    const struct table *table = &tables[list];
    int32_t count = list == TOP_LIST_GROUPS ? model->group_count : model->topic_count;
    struct layout layout;
    int rows, shown = 0;

    layout_make(table, grid->width, name_longest(table, model, count), &layout);
    head_draw(grid, top, table, &layout);
    for (int32_t i = 0; i < count; i++)
        shown += top_choice_shows(choice, table->name(model, i));
    rows = rows_fit(grid->height - top - 2, shown, choice);
    shown = -1;
    for (int32_t i = 0; i < count && shown + 1 < choice->first + rows; i++) {
        int y;

        if (!top_choice_shows(choice, table->name(model, i)) || ++shown < choice->first)
            continue;
        y = top + 1 + shown - choice->first;
        row_draw(grid, y, table, &layout, model, i, choice->utf8);
        if (choice->keys && shown == choice->selected)
            top_grid_role(grid, y, TOP_SELECTED);
    }
}
