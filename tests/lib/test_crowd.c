/* test_crowd.c - many more ranks than cores: they start, they are placed, and all calls
 * give what they should. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "node.h"

enum { LARGE = 10000 }; /* numbers, which don't travel in one piece */

/* Different for every pair of ranks. */
static int64_t word(int from, int to)
{
    return 1000000 + (int64_t)from * ranks + to;
}

static int64_t sum_below(int count)
{
    return (int64_t)count * (count - 1) / 2;
}

START_TEST(every_rank_has_its_number)
{
    int64_t mine = me, *all = check_alloc((size_t)ranks * sizeof *all);

    ck_ok(par_allgather(world, &mine, 1, PAR_INT64, all));
    for (int rank = 0; rank < ranks; rank++)
        ck_assert_int_eq(all[rank], rank);
    free(all);
}
END_TEST

START_TEST(a_token_goes_around)
{
    int64_t token = 0;

    if (me)
        ck_ok(par_receive(world, &token, 1, PAR_INT64, me - 1, 1, NULL));
    token += me;
    ck_ok(par_send(world, &token, 1, PAR_INT64, (me + 1) % ranks, 1));
    if (!me) {
        ck_ok(par_receive(world, &token, 1, PAR_INT64, ranks - 1, 1, NULL));
        ck_assert_int_eq(token, sum_below(ranks));
    }
}
END_TEST

START_TEST(everybody_sends_to_everybody)
{
    for (int step = 0; step < ranks; step++) {
        int dest = (me + step) % ranks;

        ck_ok(par_send(world, &(int64_t){word(me, dest)}, 1, PAR_INT64, dest, 2));
    }
    for (int i = 0; i < ranks; i++) {
        par_status status;
        int64_t got;

        ck_ok(par_receive(world, &got, 1, PAR_INT64, PAR_ANY_SOURCE, 2, &status));
        ck_assert_int_eq(got, word(status.source, me));
    }
}
END_TEST

START_TEST(parts_go_to_all_and_come_from_all)
{
    size_t bytes = (size_t)ranks * sizeof(int64_t);
    int64_t *out = check_alloc(bytes), *in = check_alloc(bytes), part;
    int root = ranks / 3;

    for (int rank = 0; rank < ranks; rank++)
        out[rank] = word(me, rank);
    ck_ok(par_alltoall(world, out, in, 1, PAR_INT64));
    for (int rank = 0; rank < ranks; rank++)
        ck_assert_int_eq(in[rank], word(rank, me));
    ck_ok(par_scatter(world, out, &part, 1, PAR_INT64, root));
    ck_assert_int_eq(part, word(root, me));
    ck_ok(par_gather(world, &part, 1, PAR_INT64, in, root));
    ck_assert(me != root || !memcmp(in, out, bytes));
    free(out);
    free(in);
}
END_TEST

START_TEST(all_hear_one)
{
    int roots[] = {0, ranks / 2, ranks - 1};
    int64_t *data = check_alloc(LARGE * sizeof *data);

    for (int i = 0; i < 3; i++) {
        data[0] = me == roots[i] ? word(me, i) : 0;
        ck_ok(par_broadcast(world, data, 1, PAR_INT64, roots[i]));
        ck_assert_int_eq(data[0], word(roots[i], i));
        if (me == roots[i])
            check_fill(data, LARGE * sizeof *data, (uint64_t)i);
        ck_ok(par_broadcast(world, data, LARGE, PAR_INT64, roots[i]));
        ck_assert(check_is_filled(data, LARGE * sizeof *data, (uint64_t)i));
    }
    free(data);
}
END_TEST

START_TEST(numbers_are_added_up)
{
    int64_t *data = check_alloc(2 * LARGE * sizeof *data), *sum = data + LARGE;
    int64_t mine = me, all;

    ck_ok(par_allreduce(world, &mine, &all, 1, PAR_INT64, PAR_SUM));
    ck_assert_int_eq(all, sum_below(ranks));
    ck_ok(par_scan(world, &mine, &all, 1, PAR_INT64, PAR_SUM));
    ck_assert_int_eq(all, sum_below(me + 1));
    for (int i = 0; i < LARGE; i++)
        data[i] = word(me, i);
    ck_ok(par_allreduce(world, data, sum, LARGE, PAR_INT64, PAR_SUM));
    for (int i = 0; i < LARGE; i++)
        ck_assert_int_eq(sum[i], ranks * word(0, i) + ranks * sum_below(ranks));
    free(data);
}
END_TEST

START_TEST(the_ranks_of_a_node_find_each_other)
{
    int64_t least = me, mine = me;
    par_comm *node, *half;

    ck_ok(par_split_node(world, &node));
    ck_ok(par_reduce(node, &mine, &least, 1, PAR_INT64, PAR_MIN, 0));
    ck_assert(par_rank(node) || least == node_first());
    ck_ok(par_split(world, me % 2, -me, &half));
    ck_assert_int_eq(par_size(half), (ranks + !(me % 2)) / 2);
    ck_assert_int_eq(par_rank(half), par_size(half) - 1 - me / 2);
    ck_ok(par_comm_free(&half));
    ck_ok(par_comm_free(&node));
}
END_TEST

/* Where there are more ranks than CPUs none is bound: the system finds them room. */
START_TEST(ranks_without_a_core_each_may_run_everywhere)
{
    place mine = node_place();
    int64_t cpus = mask_count(&mine.mask), least;
    par_comm *node;

    ck_ok(par_split_node(world, &node));
    ck_ok(par_allreduce(node, &cpus, &least, 1, PAR_INT64, PAR_MIN));
    ck_assert_int_eq(mine.rank, me);
    ck_assert_int_eq(par_cpus(), par_size(node) > cpus ? 1 : mine.cpus);
    if (!mine.bound)
        ck_assert_int_eq(least, cpus);
    ck_ok(par_comm_free(&node));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, every_rank_has_its_number);
    check_add(suite, a_token_goes_around);
    check_add(suite, everybody_sends_to_everybody);
    check_add(suite, parts_go_to_all_and_come_from_all);
    check_add(suite, all_hear_one);
    check_add(suite, numbers_are_added_up);
    check_add(suite, the_ranks_of_a_node_find_each_other);
    check_add(suite, ranks_without_a_core_each_may_run_everywhere);
}

const check_program program = {.name = "crowd", .add = add};
