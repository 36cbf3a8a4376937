/* The ordered pieces: where they are cut, joined and forgotten; holders and locks; all against an
 * array of offsets. */
#include "refbroker/coord/share_pieces.h"

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static void
an_offset_is_found_in_its_piece_or_in_the_next(void **state)
{
    struct share_pieces pieces;

    (void)state;
    share_pieces_init(&pieces);
    assert_null(share_pieces_at(&pieces, 0));
    assert_null(share_pieces_floor(&pieces, INT64_MAX));
    for (int64_t i = 999; i >= 0; i--)
        (void)share_pieces_add(&pieces, i * 10, i * 10 + 4, SHARE_AVAILABLE, 1);
    for (int64_t offset = 0; offset < 9995; offset++) {
        int64_t own = offset / 10 * 10;

        assert_int_equal(share_pieces_floor(&pieces, offset)->first, own);
        assert_int_equal(
            share_pieces_at(&pieces, offset)->first, offset - own < 5 ? own : own + 10);
    }
    assert_null(share_pieces_at(&pieces, 9995));
    assert_null(share_pieces_floor(&pieces, -1));
    share_pieces_fini(&pieces);
}

static void
a_piece_that_is_cut_keeps_its_holder_and_deadline(void **state)
{
    struct share_pieces pieces;
    struct share_piece *piece, *part;
    struct share_holder *holder;

    (void)state;
    share_pieces_init(&pieces);
    piece = share_pieces_add(&pieces, 10, 29, SHARE_AVAILABLE, 2);
    holder = share_pieces_holder_ref(&pieces, "m");
    share_pieces_hold(&pieces, piece, holder, 700);
    share_pieces_holder_unref(&pieces, holder);
    part = share_pieces_cut(&pieces, piece, 15, 19);
    assert_int_equal(pieces.count, 3);
    assert_int_equal(part->first, 15);
    assert_int_equal(part->last, 19);
    for (piece = share_pieces_first(&pieces); piece != NULL; piece = share_pieces_next(piece)) {
        assert_int_equal(piece->run_first, 10);
        assert_int_equal(piece->run_last, 29);
        assert_true(piece->by_offset);
        assert_int_equal(piece->delivery_count, 2);
        assert_ptr_equal(piece->holder, holder);
        assert_int_equal(piece->lock.deadline, 700);
    }
    assert_int_equal(pieces.locks.count, 3);
    share_pieces_renew(&pieces, part, 100);
    assert_ptr_equal(share_pieces_due(&pieces), part);
    share_pieces_fini(&pieces);
}

static void
neighbours_are_joined_where_they_are_equal(void **state)
{
    struct share_pieces pieces;
    struct share_piece *piece;

    (void)state;
    share_pieces_init(&pieces);
    (void)share_pieces_add(&pieces, 0, 9, SHARE_AVAILABLE, 1);
    (void)share_pieces_add(&pieces, 10, 19, SHARE_ACKNOWLEDGED, 1);
    for (int64_t i = 0; i < 10; i++) {
        piece = share_pieces_cut(&pieces, share_pieces_at(&pieces, i), i, i);
        share_pieces_set(&pieces, piece, i == 5 ? SHARE_ARCHIVED : SHARE_ACKNOWLEDGED);
    }
    assert_int_equal(pieces.done_count, 20);
    share_pieces_join(&pieces, 0, 3);
    assert_int_equal(share_pieces_first(&pieces)->last, 4);
    share_pieces_join(&pieces, 7, 19);
    assert_int_equal(share_pieces_at(&pieces, 9)->first, 6);
    assert_int_equal(share_pieces_at(&pieces, 9)->last, 9); /* 10 is of another run */
    assert_int_equal(pieces.count, 4);
    share_pieces_fini(&pieces);
}

static void
what_lies_below_an_offset_is_forgotten_with_its_holders(void **state)
{
    struct share_pieces pieces;
    struct share_holder *holder;

    (void)state;
    share_pieces_init(&pieces);
    holder = share_pieces_holder_ref(&pieces, "m");
    share_pieces_hold(&pieces, share_pieces_add(&pieces, 0, 9, SHARE_AVAILABLE, 1), holder, 5);
    (void)share_pieces_add(&pieces, 10, 19, SHARE_ARCHIVED, 1);
    share_pieces_holder_unref(&pieces, holder);
    share_pieces_drop_below(&pieces, 4);
    assert_int_equal(share_pieces_first(&pieces)->first, 4);
    assert_non_null(share_pieces_holder(&pieces, "m"));
    share_pieces_drop_below(&pieces, 13);
    assert_int_equal(share_pieces_first(&pieces)->first, 13);
    assert_int_equal(pieces.done_count, 7);
    assert_null(share_pieces_holder(&pieces, "m"));
    assert_null(share_pieces_due(&pieces));
    share_pieces_drop_below(&pieces, INT64_MAX);
    assert_int_equal(pieces.count, 0);
    assert_int_equal(pieces.done_count, 0);
    share_pieces_fini(&pieces);
}

static void
a_batch_of_a_thousand_million_offsets_is_one_piece(void **state)
{
    struct share_pieces pieces;
    struct share_piece *piece;

    (void)state;
    share_pieces_init(&pieces);
    piece = share_pieces_add(&pieces, 0, INT64_MAX - 1, SHARE_AVAILABLE, 0);
    piece = share_pieces_cut(&pieces, piece, INT64_MAX / 2, INT64_MAX / 2);
    share_pieces_set(&pieces, piece, SHARE_ARCHIVED);
    assert_int_equal(pieces.count, 3);
    assert_int_equal(pieces.done_count, 1);
    share_pieces_fini(&pieces);
}

/* --- against an array ------------------------------------------------------------------------ */

enum { OFFSETS = 300, STEPS = 400, SEEDS = 40, NOTHING = -1 };

struct model {
    int8_t states[OFFSETS]; /* NOTHING where no piece is */
    int64_t runs[OFFSETS];
};

static void
model_check(const struct model *model, struct share_pieces *pieces)
{
    struct share_piece *piece = share_pieces_first(pieces);
    int64_t done = 0;
    size_t count = 0, held = 0;

    for (int64_t i = 0; i < OFFSETS; i++) {
        while (piece != NULL && piece->last < i) {
            assert_true(
                share_pieces_next(piece) == NULL || share_pieces_next(piece)->first > piece->last);
            piece = share_pieces_next(piece);
        }
        if (piece == NULL || piece->first > i) {
            assert_int_equal(model->states[i], NOTHING);
            continue;
        }
        assert_int_equal(model->states[i], piece->state);
        assert_int_equal(model->runs[i], piece->run_first);
        assert_ptr_equal(share_pieces_at(pieces, i), piece);
        done += share_pieces_is_done(piece->state);
    }
    for (piece = share_pieces_first(pieces); piece != NULL; piece = share_pieces_next(piece)) {
        count++;
        held += piece->holder != NULL;
        assert_int_equal(piece->holder != NULL, piece->state == SHARE_ACQUIRED);
        assert_int_equal(piece->holder != NULL, piece->lock.place != 0);
    }
    assert_int_equal(pieces->count, count);
    assert_int_equal(pieces->locks.count, held);
    assert_int_equal(pieces->done_count, done);
}

static void
model_step(struct model *model, struct share_pieces *pieces, struct env *env)
{
    static const int8_t states[] = {
        SHARE_AVAILABLE, SHARE_ACQUIRED, SHARE_ACKNOWLEDGED, SHARE_ARCHIVED};
    int64_t first = (int64_t)env_random_below(env, OFFSETS);
    int64_t last = first + (int64_t)env_random_below(env, 20);
    struct share_piece *piece = share_pieces_at(pieces, first);
    int8_t state = states[env_random_below(env, ARRAY_LEN(states))];
    struct share_holder *holder;

    last = last < OFFSETS ? last : OFFSETS - 1;
    if (env_random_below(env, 50) == 0) {
        share_pieces_drop_below(pieces, first);
        for (int64_t i = 0; i < first; i++)
            model->states[i] = NOTHING;
        return;
    }
    if (piece == NULL || piece->first > last) {
        state = state == SHARE_ACQUIRED ? SHARE_AVAILABLE : state;
        (void)share_pieces_add(pieces, first, last, state, 1);
        for (int64_t i = first; i <= last; i++) {
            model->states[i] = state;
            model->runs[i] = first;
        }
        return;
    }
    first = first > piece->first ? first : piece->first;
    last = last < piece->last ? last : piece->last;
    piece = share_pieces_cut(pieces, piece, first, last);
    if (piece->state != SHARE_ACQUIRED) {
        holder = share_pieces_holder_ref(pieces, env_random_below(env, 2) == 0 ? "a" : "b");
        share_pieces_hold(pieces, piece, holder, first);
        share_pieces_holder_unref(pieces, holder);
    }
    if (state != SHARE_ACQUIRED)
        share_pieces_set(pieces, piece, state);
    for (int64_t i = first; i <= last; i++)
        model->states[i] = state;
    if (env_random_below(env, 2) == 0)
        share_pieces_join(pieces, first, last);
}

static void
random_steps_agree_with_an_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct share_pieces pieces;
        struct model model;
        struct env env;

        env_init_seeded(&env, seed, 0);
        share_pieces_init(&pieces);
        for (size_t i = 0; i < OFFSETS; i++)
            model.states[i] = NOTHING;
        for (size_t i = 0; i < STEPS; i++) {
            model_step(&model, &pieces, &env);
            model_check(&model, &pieces);
        }
        share_pieces_fini(&pieces);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_is_found_in_its_piece_or_in_the_next),
        cmocka_unit_test(a_piece_that_is_cut_keeps_its_holder_and_deadline),
        cmocka_unit_test(neighbours_are_joined_where_they_are_equal),
        cmocka_unit_test(what_lies_below_an_offset_is_forgotten_with_its_holders),
        cmocka_unit_test(a_batch_of_a_thousand_million_offsets_is_one_piece),
        cmocka_unit_test(random_steps_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
